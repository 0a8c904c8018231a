/** Archives of public repositories: through the server of a page, or from hosts that let pages read them. */
import { collect } from '../oci/bytes.ts';
import { ImageError } from '../oci/errors.ts';
import { PROXY_HEADER } from '../oci/proxied-fetch.ts';
import { chunks } from '../streams/chunks.ts';
import { isObject, type JsonObject } from '../text/json.ts';

export interface FetchArchiveOptions {
  /** The URL of our server, ending in a slash. */
  readonly server: string;
  /** The most bytes. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** @throws ImageError that says why it does not arrive, or the reason of the signal */
export async function fetchArchive(url: URL, options: FetchArchiveOptions): Promise<Blob> {
  const { server, limit, signal } = options;
  try {
    const answer = await ask(url, new URL(server), signal);
    if (!answer.ok || !answer.body) throw new ImageError(await reasonOf(answer, url), 'network');
    const bytes = await collect(chunks(answer.body), limit, 'the archive');
    return new Blob([new Uint8Array(bytes)]);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImageError) throw error;
    throw new ImageError(`the connection to ${url.host} broke off: try again`, 'network', { cause: error });
  }
}

async function ask(url: URL, server: URL, signal: AbortSignal): Promise<Response> {
  const options = { credentials: 'omit', signal } as const;
  // A redirect could lead to another origin.
  if (url.origin === server.origin) return fetch(url, { ...options, redirect: 'error' });
  const proxied = await fetch(new URL(`archive/${url.host}${url.pathname}`, server), options);
  if (proxied.headers.has(PROXY_HEADER)) return proxied;
  await proxied.body?.cancel();
  return fetch(url, options).catch((cause) => {
    const message = `${url.host} cannot be reached, or lets no pages read from it: download the archive, and open the file`;
    throw new ImageError(message, 'network', { cause });
  });
}

/** Our server says why in the form of registries. */
async function reasonOf(answer: Response, { host }: URL): Promise<string> {
  const found: unknown = await answer.json().catch(() => undefined);
  const [first] = isObject(found) && Array.isArray(found.errors) ? (found.errors as JsonObject[]) : [];
  return typeof first?.message === 'string' ? first.message : `${host} answered ${answer.status}`;
}

/** Saved sessions from outside: files that the user has picked, and files on the page's server. */
import type { SessionPlace } from './messages.ts';

/** How long the server may take to begin its answer, in ms. */
const PATIENCE = 30_000;

/** A saved session that does not arrive. */
export class SourceError extends Error {
  override name = 'SourceError';
}

export interface SessionSource {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Undefined if the server does not say it. */
  readonly bytes: number | undefined;
  /** Ends the transfer. */
  close(): void;
}

/** @throws SourceError */
export async function openSource(place: SessionPlace): Promise<SessionSource> {
  if (place instanceof Blob) return { stream: place.stream(), bytes: place.size, close: () => {} };
  const transfer = new AbortController();
  const timer = setTimeout(() => transfer.abort(), PATIENCE);
  // A redirect could lead to another origin.
  const options = { redirect: 'manual', credentials: 'omit', signal: transfer.signal } as const;
  const answer = await fetch(place, options).catch(() => undefined);
  clearTimeout(timer);
  if (!answer) throw new SourceError('its server cannot be reached, or does not answer: try again later');
  const close = () => transfer.abort();
  try {
    return { stream: bodyOf(answer), bytes: sizeOf(answer), close };
  } catch (error) {
    close();
    throw error;
  }
}

function bodyOf({ type, ok, status, body }: Response): ReadableStream<Uint8Array<ArrayBuffer>> {
  if (type === 'opaqueredirect')
    throw new SourceError('its server leads elsewhere, which a link to a session must not do');
  if (status === 404) throw new SourceError('there is no such file on its server: check the link');
  if (!ok || !body) throw new SourceError(`its server does not give the file: status ${status}`);
  return body;
}

/** The length of an answer that is compressed on its way is not the file's. */
function sizeOf({ headers }: Response): number | undefined {
  const length = Number(headers.get('Content-Length'));
  return headers.has('Content-Encoding') || !Number.isSafeInteger(length) || length <= 0 ? undefined : length;
}

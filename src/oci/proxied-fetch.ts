/**
 * Browsers reach registries through our server, because registries let no page of another origin read from
 * them.
 */
import { ImageError } from './errors.ts';
import { type Fetch, type FetchOptions, TransientError } from './http.ts';

/** The header with credentials for the registry. Authorization is for the proxy itself. */
export const CREDENTIALS_HEADER = 'Registry-Authorization';

/** A header that every answer of our proxy has and no answer of a static file host has. */
export const PROXY_HEADER = 'Docker-Distribution-Api-Version';

/** The error code with which our proxy refuses a request that is against its operator's rules. */
export const POLICY_CODE = 'NOT_ALLOWED';

/**
 * A `fetch` that goes through our server's proxy. On a static file host, which has no proxy, it asks the
 * registries themselves: some let every page read from them.
 * @param proxy the URL of the proxy, ending in a slash; the host and the path of the registry follow it
 */
export function proxiedFetch(proxy: string | URL): Fetch {
  const fetchDirectly = directFetch();
  let isAbsent = false;
  return async (url, options) => {
    if (isAbsent) return fetchDirectly(url, options);
    const response = await askProxy(new URL(proxy), url, options);
    if (response.headers.has(PROXY_HEADER)) return response;
    await response.body?.cancel();
    isAbsent = true;
    return fetchDirectly(url, options);
  };
}

async function askProxy(proxy: URL, url: string, options: FetchOptions): Promise<Response> {
  const { host, pathname, search } = new URL(url);
  const { authorization, ...headers } = options.headers;
  if (authorization !== undefined) headers[CREDENTIALS_HEADER] = authorization;
  try {
    return await fetch(new URL(`./${host}${pathname}${search}`, proxy), { ...options, headers });
  } catch (cause) {
    options.signal.throwIfAborted();
    const message = `cannot reach ${proxy.host}, the server of this page, through which images come: is it still running, and this computer online?`;
    throw new TransientError(message, 'network', undefined, { cause });
  }
}

function directFetch(): Fetch {
  const reached = new Set<string>();
  return async (url, options) => {
    const { host } = new URL(url);
    try {
      // Browsers hide the target of a redirect, and drop Authorization when it is another origin.
      const response = await fetch(url, { ...options, redirect: 'follow' });
      reached.add(host);
      return response;
    } catch (cause) {
      options.signal.throwIfAborted();
      const message =
        `${host} cannot be reached, or lets no pages read from it; and this page comes from a server of files only, ` +
        'without a way to registries. Run LinuxRun yourself with npm start, or save the image elsewhere and open the file';
      // Browsers do not say which of the two it is.
      throw reached.has(host)
        ? new TransientError(message, 'network', undefined, { cause })
        : new ImageError(message, 'network', { cause });
    }
  };
}

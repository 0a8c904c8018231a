/** How browsers reach registries, which let no page of another origin read from them: through our own server. */
import { ImageError } from './errors.ts';
import { type Fetch, type FetchOptions, TransientError } from './http.ts';

/** Where our proxy looks for what is meant for a registry: Authorization would be for the proxy itself. */
export const CREDENTIALS_HEADER = 'Registry-Authorization';

/** In every answer of our proxy, and in none of a mere host of files. */
export const PROXY_HEADER = 'Docker-Distribution-Api-Version';

/**
 * A `fetch` that leads through our server's proxy. Where the page comes from another server, one that only has its
 * files, it asks the registries themselves: some let every page read from them.
 * @param proxy where it is, ending in a slash; the host and the path of the registry follow
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
      // Browsers hide where a redirect leads, and drop Authorization when that is another origin.
      const response = await fetch(url, { ...options, redirect: 'follow' });
      reached.add(host);
      return response;
    } catch (cause) {
      options.signal.throwIfAborted();
      const message =
        `${host} cannot be reached, or lets no pages read from it; and this page comes from a server of files only, ` +
        'without a way to registries. Run LinuxRun yourself with npm start, or save the image elsewhere and open the file';
      // Browsers do not tell which of the two it is.
      throw reached.has(host)
        ? new TransientError(message, 'network', undefined, { cause })
        : new ImageError(message, 'network', { cause });
    }
  };
}

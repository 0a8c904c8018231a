/**
 * The names that the server answers to. Another site can point its own name at this machine (DNS rebinding),
 * and its pages then have the server's origin. No other site has the names and addresses of the loopback
 * interface.
 */
import type { MiddlewareHandler } from 'hono';
import { isLoopback } from '../oci/address.ts';
import { LOCAL_NAME } from '../preview/names.ts';
import { clean } from '../text/message.ts';

const VARIABLE = 'LINUXRUN_HOSTS';
/** Begins an entry for a page with previews, whose names are below the page's. */
export const WILDCARD = '*.';

/**
 * Reads the variable LINUXRUN_HOSTS, a list of host names separated by commas. `*.run.example.com` is the
 * page run.example.com with its previews below.
 * @throws Error for an entry that is no host name
 */
export function readHosts(variables: Readonly<Record<string, string | undefined>>): string[] {
  const entries = (variables[VARIABLE] ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const wrong = entries.find((entry) => !isHostname(withoutWildcard(entry)));
  if (wrong !== undefined)
    throw new Error(
      `${VARIABLE}: "${clean(wrong)}" is not a host: write names such as linuxrun.example.com or *.run.example.com`,
    );
  return entries.map((entry) => entry.toLowerCase());
}

function withoutWildcard(entry: string): string {
  return entry.startsWith(WILDCARD) ? entry.slice(WILDCARD.length) : entry;
}

function isHostname(text: string): boolean {
  const url = `http://${text}/`;
  return !text.includes('*') && URL.canParse(url) && new URL(url).hostname === text.toLowerCase();
}

/** Whether a page has this name. The names below its name on this machine belong to previews. */
export function isPage(hostname: string, hosts: readonly string[]): boolean {
  if (isLoopback(hostname)) return !hostname.endsWith(`.${LOCAL_NAME}`);
  return hosts.some((entry) => withoutWildcard(entry) === hostname);
}

/** Refuses requests for other hosts than this machine and `hosts`. */
export function onlyFor(hosts: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const { hostname } = new URL(context.req.url);
    if (isPage(hostname, hosts)) return next();
    const text = `This server does not answer to the name ${clean(hostname)}. Open it at http://${LOCAL_NAME}, or ask its operator to add the name to ${VARIABLE}.\n`;
    return context.text(text, 421);
  };
}

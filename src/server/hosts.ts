/**
 * The names that the server answers to. Another site can point its own name at this machine (DNS rebinding),
 * and its pages then have the server's origin. No other site has the names and addresses of the loopback
 * interface.
 */
import type { MiddlewareHandler } from 'hono';
import { isLoopback } from '../oci/address.ts';
import { clean } from '../oci/errors.ts';

const VARIABLE = 'LINUXRUN_HOSTS';

/**
 * Reads the variable LINUXRUN_HOSTS, a list of host names separated by commas.
 * @throws Error for an entry that is no host name
 */
export function readHosts(variables: Readonly<Record<string, string | undefined>>): string[] {
  return (variables[VARIABLE] ?? '')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const hostname = hostnameOf(entry);
      if (hostname === undefined || hostname !== entry.toLowerCase())
        throw new Error(
          `${VARIABLE}: "${clean(entry)}" is not a host: write names such as linuxrun.example.com`,
        );
      return hostname;
    });
}

/** Refuses requests for other hosts than this machine and `hosts`. */
export function onlyFor(hosts: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const { hostname } = new URL(context.req.url);
    if (isLoopback(hostname) || hosts.includes(hostname)) return next();
    const text = `This server does not answer to the name ${clean(hostname)}. Open it at http://localhost, or ask its operator to add the name to ${VARIABLE}.\n`;
    return context.text(text, 421);
  };
}

function hostnameOf(host: string): string | undefined {
  const url = `http://${host}/`;
  return !host.includes('*') && URL.canParse(url) ? new URL(url).hostname : undefined;
}

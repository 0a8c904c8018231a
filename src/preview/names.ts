/** The host names and paths of the page and of its previews. */

/**
 * The page's name on this machine. Browsers lead names below localhost to the loopback interface, except for
 * Safari on older versions of macOS. Unlike `localhost`, it has names below it that are the same site.
 */
export const LOCAL_NAME = 'linuxrun.localhost';

/** The prefix of our own paths, which no container can answer. */
const OURS = '/__linuxrun/';

/** A path of the page's server that answers only if a name leads to it. */
export const HERE_PATH = `${OURS}here`;

/** Whether the host is a name or address of this machine that has no names below it. */
export function isLocalAddress(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

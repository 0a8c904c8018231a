/** The host names and paths of the page and of its previews. */

/**
 * The page's name on this machine. Browsers lead names below localhost to the loopback interface, except for
 * Safari on older versions of macOS. Unlike `localhost`, it has names below it that are the same site.
 */
export const LOCAL_NAME = 'linuxrun.localhost';

/** The prefix of our own paths, which no container can answer. */
export const OUR_PATHS = '/__linuxrun/';

/** A path of the page's server that answers only if a name leads to it. */
export const HERE_PATH = `${OUR_PATHS}here`;

/** The hidden frame of the page at a preview's origin. */
export const BRIDGE_PATH = `${OUR_PATHS}bridge.html`;
export const WORKER_PATH = `${OUR_PATHS}service-worker.js`;
/** The script that the service worker puts in front of a container's scripts. */
export const SHIM_PATH = `${OUR_PATHS}shim.js`;

/** Letters and digits that host names may begin and end with, 5 bits each. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 80 bits, so that no other site can guess the origin of a preview. */
const ID_LENGTH = 16;
/** The first label of a preview's host: the port and the id of its session. */
const LABEL = new RegExp(`^([1-9]\\d{0,4})-([a-z0-9]{${ID_LENGTH}})$`);
const ID = new RegExp(`^[a-z0-9]{${ID_LENGTH}}$`);

/** Whether the host is a name or address of this machine that has no names below it. */
export function isLocalAddress(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Makes the id of a session. */
export function newPreviewId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_LENGTH));
  return Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('');
}

export function isPreviewId(text: string): boolean {
  return ID.test(text);
}

/** The origin of the preview of a port. @param page the URL of the page */
export function previewOrigin({ protocol, host }: URL, port: number, id: string): string {
  return `${protocol}//${port}-${id}.${host}`;
}

/** The parts of the host of a preview. */
export interface PreviewHost {
  readonly port: number;
  readonly id: string;
  /** The host of the page. */
  readonly page: string;
}

/** Returns undefined if it is not the host of a preview. */
export function readPreviewHost(host: string): PreviewHost | undefined {
  const [label = '', ...rest] = host.split('.');
  const [, port, id] = LABEL.exec(label) ?? [];
  if (port === undefined || id === undefined || rest.length === 0) return undefined;
  return { port: Number(port), id, page: rest.join('.') };
}

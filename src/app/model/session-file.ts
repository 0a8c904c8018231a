import { formatSize } from '../../options/limits.mjs';
import type { SessionFile } from '../machine/messages.ts';
import { DEFAULT_FORM } from './form.ts';
import { writeLink } from './link.ts';

/** The first bytes of every saved session, whatever its version. */
const MARK = Uint8Array.of(0x89, 0x4c, 0x52, 0x53);

/** The ending of the names that downloaded sessions get. */
export const SESSION_ENDING = '.linuxrun';

export async function isSavedSession(file: Blob): Promise<boolean> {
  const bytes = new Uint8Array(await file.slice(0, MARK.length).arrayBuffer());
  return MARK.every((byte, at) => bytes[at] === byte);
}

/** Returns the URL of a saved session that a link names. A link must not make the page ask another origin. */
export function sessionUrl(address: string, page: string): string {
  const url = URL.parse(address, page);
  const { origin, protocol, host } = new URL(page);
  // The URL of a blob has the origin of its page.
  const isHere = url?.origin === origin && url.protocol === protocol;
  if (isHere && url.username === '' && url.password === '') return url.href;
  throw new Error(`the link names a file elsewhere: sessions open only from ${host}`);
}

/** Returns the query of a link to a container like the one in a file. */
export function linkOfSession({ image, memoryBytes, cpus }: SessionFile): string {
  const form = { ...DEFAULT_FORM, image, memory: formatSize(memoryBytes), cpus: String(cpus) };
  return writeLink(form, { withValues: false });
}

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

/** Returns the query of a link to a container like the one in a file. */
export function linkOfSession({ image, memoryBytes, cpus }: SessionFile): string {
  const form = { ...DEFAULT_FORM, image, memory: formatSize(memoryBytes), cpus: String(cpus) };
  return writeLink(form, { withValues: false });
}

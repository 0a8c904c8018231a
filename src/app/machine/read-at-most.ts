import type { RunningContainer } from '../../api/public.ts';
import { chunks } from '../../streams/chunks.ts';
import { concat } from '../../streams/concat.ts';

/**
 * Reads a file whose size is not known: those of systems in memory may be longer than they say.
 * @returns undefined if there is more than `most` bytes
 * @throws FileError
 */
export async function readAtMost(
  fs: RunningContainer['fs'],
  path: string,
  most: number,
): Promise<Uint8Array | undefined> {
  const rest = new AbortController();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of chunks(fs.createReadStream(path, { signal: rest.signal }))) {
    parts.push(part);
    bytes += part.length;
    if (bytes > most) {
      rest.abort();
      return undefined;
    }
  }
  return concat(parts);
}

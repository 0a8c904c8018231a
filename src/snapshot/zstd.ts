import { ZSTDDecoder } from 'zstddec';
import type { Decompress } from './sections.ts';

/** Sections that the set-up has compressed. @throws Error if the decoder's code cannot be loaded */
export async function loadZstd(): Promise<Decompress> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (stored, length) => decoder.decode(stored, length);
}

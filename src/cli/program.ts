import { fileURLToPath } from 'node:url';
import type { Report } from '../docker/inspect.ts';

/**
 * The folder with emulator.wasm, the kernels and the demo images. A bundle of the clone is as deep as the
 * sources, and scripts/setup/package.mjs leads to the assets of the package instead.
 */
export const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url));

/** Writes to a stream; resolves when the stream takes more. */
export function write(stream: NodeJS.WritableStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}

/** Prints what a command has to say; returns its status. */
export async function report({ output, problems }: Report): Promise<number> {
  await write(process.stdout, output);
  for (const problem of problems) process.stderr.write(`linuxrun: ${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

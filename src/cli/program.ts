import { join } from 'node:path';

/** The folder with emulator.wasm and the kernels. */
export const PUBLIC = join(import.meta.dirname, '../../public');

/** Writes to a stream; resolves when the stream takes more. */
export function write(stream: NodeJS.WritableStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}

import { fileURLToPath } from 'node:url';

/**
 * The folder with emulator.wasm, the kernels and the demo images. A bundle of the clone is as deep as the
 * sources, and scripts/setup/package.mjs leads to the assets of the package instead.
 */
export const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url));

/** Writes to a stream; resolves when the stream takes more. */
export function write(stream: NodeJS.WritableStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MachineError, type PackedError, unpackError } from '../errors.ts';
import { createWorker } from './create-worker.ts';
import type { Platform } from './platform.ts';
import { SpareWorkers } from './spare-workers.ts';

/**
 * @param publicFolder path of the folder with emulator.wasm and kernel/
 * @param harts of a machine whose workers start at once
 */
export function nodePlatform(publicFolder: string, harts = 0): Platform {
  const spare = new SpareWorkers(harts, (role) =>
    createWorker(new URL(`./node-${role}.ts`, import.meta.url)),
  );
  for (const worker of spare) worker.unref();
  return {
    startWorker(start, transfer, onFailure) {
      const worker = spare.take(start.role);
      worker.ref();
      let terminated = false;
      worker.on('message', (error: PackedError) => onFailure(unpackError(error)));
      worker.on('error', onFailure);
      worker.on('exit', (code) => {
        if (!terminated) onFailure(new Error(`the ${start.role} worker ended with exit code ${code}`));
      });
      worker.postMessage(start, transfer as never);
      return {
        setReferenced: (isReferenced) => (isReferenced ? worker.ref() : worker.unref()),
        async terminate() {
          terminated = true;
          await worker.terminate();
        },
      };
    },

    dismiss() {
      for (const worker of spare.clear()) void worker.terminate();
    },

    async loadEmulator() {
      return WebAssembly.compile(await load(publicFolder, 'emulator.wasm'));
    },

    loadFile: (path) => load(publicFolder, path),
  };
}

async function load(folder: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(folder, path);
  try {
    const { buffer, byteOffset, length } = await readFile(file);
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    throw new MachineError(`cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

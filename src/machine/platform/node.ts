import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MachineError, type PackedError, unpackError } from '../errors.ts';
import { bundle } from './bundle.ts';
import type { Platform } from './platform.ts';

/**
 * @param publicFolder path of the folder that holds emulator.wasm and kernel/
 * @param spareWorkers started at once, while the files that they wait for are read: it takes them 30 ms
 */
export function nodePlatform(publicFolder: string, spareWorkers = 0): Platform {
  const spare = Array.from({ length: spareWorkers }, () => new Worker(...workerScript()));
  for (const worker of spare) worker.unref();
  return {
    startWorker(start, transfer, onFailure) {
      const worker = spare.pop() ?? new Worker(...workerScript());
      worker.ref();
      let terminated = false;
      worker.on('message', (error: PackedError) => onFailure(unpackError(error)));
      worker.on('error', onFailure);
      worker.on('exit', (code) => {
        if (!terminated) onFailure(new Error(`the ${start.role} worker ended with exit code ${code}`));
      });
      worker.postMessage(start, transfer as never);
      return {
        async terminate() {
          terminated = true;
          await worker.terminate();
        },
      };
    },

    async loadEmulator() {
      return WebAssembly.compile(await load(publicFolder, 'emulator.wasm'));
    },

    loadFile: (path) => load(publicFolder, path),
  };
}

/** A bundled program has its bundled worker beside it. */
function workerScript(): ConstructorParameters<typeof Worker> {
  if (!import.meta.url.endsWith('.ts')) return [new URL('./node-worker.js', import.meta.url)];
  return [bundle(new URL('./node-worker.ts', import.meta.url)), { eval: true, execArgv: [] }];
}

async function load(folder: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(folder, path);
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new MachineError(`cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

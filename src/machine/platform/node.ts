import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { deferred } from '../deferred.ts';
import { MachineError, type PackedError, unpackError } from '../errors.ts';
import { bundle } from './bundle.ts';
import type { Platform } from './platform.ts';
import { type Role, SpareWorkers } from './spare-workers.ts';

export interface NodePlatform extends Platform {
  /**
   * Resolves when the workers started in advance have their work or are dismissed, so this thread may do
   * other things.
   */
  readonly launched: Promise<void>;
}

/**
 * @param publicFolder path of the folder with emulator.wasm and kernel/
 * @param harts of a machine whose workers start at once
 */
export function nodePlatform(publicFolder: string, harts = 0): NodePlatform {
  const spare = new SpareWorkers(harts, createWorker);
  for (const worker of spare) worker.unref();
  const launched = deferred<void>();
  if (spare.isEmpty) launched.resolve();
  return {
    launched: launched.promise,

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
      if (spare.isEmpty) launched.resolve();
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
      launched.resolve();
    },

    async loadEmulator() {
      return WebAssembly.compile(await load(publicFolder, 'emulator.wasm'));
    },

    loadFile: (path) => load(publicFolder, path),
  };
}

/** A bundled program has its bundled workers beside it. */
function createWorker(role: Role): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`./node-${role}.cjs`, import.meta.url));
  return new Worker(bundle(new URL(`./node-${role}.ts`, import.meta.url)), { eval: true, execArgv: [] });
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

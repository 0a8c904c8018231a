import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MachineError, type PackedError, unpackError } from '../errors.ts';
import { createWorker } from './create-worker.ts';
import { endWorker } from './node-ending.ts';
import { lowerV8Threads } from './node-priorities.ts';
import type { Platform } from './platform.ts';
import { SpareWorkers } from './spare-workers.ts';

/** How messages name the folders of workers that read and write files. */
const FOLDERS = new Map<string, string>([
  ['machine', 'the store of images'],
  ['folders', 'a shared folder'],
]);

/**
 * @param publicFolder path of the folder with emulator.wasm and kernel/
 * @param harts of a machine whose workers start at once, as the compilation of the core does
 */
export function nodePlatform(publicFolder: string, harts = 0): Platform {
  const spare = new SpareWorkers(harts, (role) =>
    createWorker(new URL(`./node-${role}.ts`, import.meta.url)),
  );
  for (const worker of spare) worker.unref();
  const compiling = harts > 0 ? compileEmulator(publicFolder) : undefined;
  // Whoever needs the core gets the error.
  compiling?.catch(() => {});
  return {
    startWorker(start, transfer, onFailure) {
      const worker = spare.take(start.role);
      if (start.role === 'translator') lowerV8Threads();
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
          const folder = FOLDERS.get(start.role);
          await (folder === undefined ? worker.terminate() : endWorker(worker, folder));
        },
      };
    },

    dismiss() {
      for (const worker of spare.clear()) void worker.terminate();
    },

    loadEmulator: () => compiling ?? compileEmulator(publicFolder),

    async loadFile(path) {
      const file = join(publicFolder, path);
      const { buffer, byteOffset, length } = await readFile(file).catch((cause) => fail(file, cause));
      return new Uint8Array(buffer, byteOffset, length);
    },
  };
}

/** Reads the file before this thread does anything else, because other threads compile it. */
async function compileEmulator(folder: string): Promise<WebAssembly.Module> {
  const file = join(folder, 'emulator.wasm');
  return WebAssembly.compile(readOrFail(file));
}

function readOrFail(file: string): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(file);
  } catch (cause) {
    return fail(file, cause as NodeJS.ErrnoException);
  }
}

function fail(file: string, cause: NodeJS.ErrnoException): never {
  throw new MachineError(`cannot read ${file}: ${cause.code}`, { cause });
}

/**
 * Runs scripts from V8's code cache, so that they are not compiled at each start. The cached code lies beside
 * its script and is removed with it, because V8 compares only the length of a script.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { constants, Script } from 'node:vm';
import { isMainThread, workerData } from 'node:worker_threads';

import { noteV8Threads } from './node-priorities.ts';

export { endEarly, startEarly } from './early-workers.ts';

/** A worker is terminated without notice. It has compiled most of its code by then, in ms. */
const SETTLED = 150;
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

interface CommonJsModule {
  readonly exports: unknown;
}

type Wrapper = (
  exports: unknown,
  require: NodeJS.Require,
  module: CommonJsModule,
  ...place: string[]
) => void;

/** The path of the code that this Node has compiled. */
export const cacheOf = (file: string) => `${file}.${process.version}-${process.arch}.cache`;

/**
 * Runs a script in CommonJS.
 * @param file its absolute path
 * @returns its exports
 */
export function runCached(file: string): unknown {
  const source = `(function (${PARAMETERS}) {${readFileSync(file, 'utf8')}\n})`;
  const cache = cacheOf(file);
  const script = new Script(source, {
    filename: file,
    cachedData: readCache(file, cache),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (script.cachedDataRejected !== false) onceCompiled(() => write(cache, script.createCachedData()));
  const module: CommonJsModule = { exports: {} };
  const run = script.runInThisContext() as Wrapper;
  run(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}

function readCache(file: string, cache: string): Buffer | undefined {
  const made = statSync(cache, { throwIfNoEntry: false });
  if (!made || made.mtimeMs < statSync(file).mtimeMs) return undefined;
  return readFileSync(cache);
}

/**
 * Calls back when most functions have been called, because V8 compiles each at its first call. A command that
 * fails may have called few.
 */
function onceCompiled(callback: () => void): void {
  if (isMainThread) process.once('exit', (status) => status === 0 && callback());
  else setTimeout(callback, SETTLED).unref();
}

/** The folder of an installed package may be read-only, and the disk full. */
function write(cache: string, code: Uint8Array): void {
  const unfinished = `${cache}.${process.pid}`;
  try {
    const file = openSync(unfinished, 'w');
    try {
      writeSync(file, code);
      // After a loss of power a file that has its name must be whole.
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, cache);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

if (isMainThread) noteV8Threads();
else runCached(workerData as string);

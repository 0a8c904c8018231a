import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { bundle } from '../../machine/platform/bundle.ts';
import type { SaverPlatform } from '../savers.ts';
import { type FromSaver, SaverPort, type SaverStart } from './port.ts';

/** More would wait for the storage and for each other. */
const MOST_WORKERS = 4;

/**
 * @param emulator the compiled core
 * @param store the folder of the store
 */
export function nodeSavers(emulator: WebAssembly.Module, store: string): SaverPlatform {
  return {
    workers: Math.min(MOST_WORKERS, availableParallelism()),
    startSaver() {
      const worker = createWorker();
      const port = new SaverPort(
        (request) => worker.postMessage(request),
        () => void worker.terminate(),
      );
      worker.on('message', (message: FromSaver) => port.receive(message));
      worker.on('error', (error) => port.fail(error));
      worker.on('exit', (code) => port.fail(new Error(`the worker that saves ended with exit code ${code}`)));
      worker.postMessage({ emulator, store } satisfies SaverStart);
      return port;
    },
  };
}

/** A bundled program has its bundled workers beside it. */
function createWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./node-saver.cjs', import.meta.url));
  return new Worker(bundle(new URL('./node-saver.ts', import.meta.url)), { eval: true, execArgv: [] });
}

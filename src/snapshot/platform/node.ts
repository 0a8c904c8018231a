import { availableParallelism } from 'node:os';
import { createWorker } from '../../machine/platform/create-worker.ts';
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
      const worker = createWorker(new URL('./node-saver.ts', import.meta.url));
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

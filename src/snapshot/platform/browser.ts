import { MachineError, unpackError } from '../../machine/errors.ts';
import type { SaverPlatform } from '../savers.ts';
import { type FromSaver, SaverPort, type SaverStart } from './port.ts';

/** More would wait for the storage and for each other. */
const MOST_WORKERS = 4;

/** @param emulator the compiled core */
export function browserSavers(emulator: WebAssembly.Module): SaverPlatform {
  return {
    workers: Math.min(MOST_WORKERS, navigator.hardwareConcurrency),
    startSaver() {
      // Bundlers look for exactly this expression.
      const worker = new Worker(new URL('./browser-saver.ts', import.meta.url), { type: 'module' });
      const port = new SaverPort(
        (request) => worker.postMessage(request),
        () => worker.terminate(),
      );
      worker.onmessage = ({ data }: MessageEvent<FromSaver>) => port.receive(data);
      worker.onerror = ({ message }) => {
        // An event without an error means that the worker's code could not be loaded.
        const failure = message ? unpackError({ name: 'Error', message }) : undefined;
        port.fail(failure ?? new MachineError('cannot load the code that saves sessions'));
      };
      worker.postMessage({ emulator, store: '' } satisfies SaverStart);
      return port;
    },
  };
}

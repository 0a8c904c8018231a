// A worker thread that runs one hart until the machine's power is off, bundled by `runOnMachine`.
import { parentPort, workerData } from 'node:worker_threads';
import { inlineTranslation } from '../../jit/inline.ts';
import { instantiate } from './instance.mjs';

const { module, memory, hart, pc, privilege, a1, start, pieces } = workerData;
/** @param {WebAssembly.Exports} exports */
const hot = (exports) => inlineTranslation(exports, memory, hart);
// Called with the UART's lock held. Messages of several threads may arrive in another order than they were
// sent.
/** @param {Uint8Array} bytes */
const output = (bytes) => parentPort?.postMessage({ place: Atomics.add(pieces, 0, 1), bytes });
const core = instantiate(module, memory, output, start, hot);
core.reset(hart, pc, privilege, a1);
parentPort?.postMessage('ready');
parentPort?.once('message', () => {
  core.run(hart, 1n << 62n);
  parentPort?.close();
});

// A worker thread that runs one hart until the machine's power is off.
import { parentPort, workerData } from 'node:worker_threads';
import { instantiate } from './instance.mjs';

const { module, memory, hart, pc, privilege, a1, start } = workerData;
const core = instantiate(module, memory, (bytes) => parentPort?.postMessage(bytes), start);
core.reset(hart, pc, privilege, a1);
parentPort?.postMessage('ready');
parentPort?.once('message', () => {
  core.run(hart, 1n << 62n);
  parentPort?.close();
});

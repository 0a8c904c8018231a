import { parentPort } from 'node:worker_threads';
import { nodeStore } from '../../storage/node.ts';
import { packError } from '../errors.ts';
import type { WorkerStart } from '../protocol.ts';
import { runWorker } from '../worker.ts';

const fail = (cause: unknown) => parentPort?.postMessage(packError(cause));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
parentPort?.once('message', (start: WorkerStart) => runWorker(start, (folder) => nodeStore(folder).layers));

import { parentPort } from 'node:worker_threads';
import { nodeSessions } from '../../storage/node.ts';
import { serveSaver } from './port.ts';

const receive = serveSaver(nodeSessions, (message) => parentPort?.postMessage(message));
parentPort?.on('message', receive);

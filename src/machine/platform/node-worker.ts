import { parentPort } from 'node:worker_threads';
import { packError } from '../errors.ts';

/** Makes this worker the part of the machine that its first message describes, and reports its errors. */
export function becomePart<Start>(run: (start: Start) => void): void {
  const fail = (cause: unknown) => parentPort?.postMessage(packError(cause));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  parentPort?.once('message', run);
}

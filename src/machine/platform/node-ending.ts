/**
 * Calls of the host that never return, such as those about a file of a server that has gone. Nothing ends a
 * thread in one. Node waits for its threads when the process ends, so the process would stay, too.
 */
import process from 'node:process';
import { isMainThread, type Worker } from 'node:worker_threads';
import { deferred } from '../deferred.ts';

/** How long a worker may take to end, in ms. One that is in no call takes a few. */
const PATIENCE = 5000;

/** Calls that have not returned in time. */
const hanging = new Set<Promise<unknown>>();

/** Ends a worker. @param folder how a warning names that of its calls, if the worker hangs in one */
export async function endWorker(worker: Worker, folder: string): Promise<void> {
  if (!(await returns(worker.terminate(), folder, PATIENCE))) worker.unref();
}

/**
 * Waits for a call of the host, which must not reject.
 * @returns whether it has returned in time; if not, the process kills itself when it ends
 */
export async function returns(call: Promise<unknown>, folder: string, patience: number): Promise<boolean> {
  const returned = deferred<boolean>();
  const timer = setTimeout(() => {
    noteHanging(call, folder);
    returned.resolve(false);
  }, patience);
  void call.then(() => {
    clearTimeout(timer);
    hanging.delete(call);
    returned.resolve(true);
  });
  return returned.promise;
}

function noteHanging(call: Promise<unknown>, folder: string): void {
  const problem = `${folder} does not answer: its disk or server may have gone`;
  process.emitWarning(`${problem}. This process can only end by SIGKILL.`, 'LinuxRunWarning');
  // The process of a caller that has threads of its own is not ours to kill.
  if (hanging.size === 0 && isMainThread) process.once('exit', killProcess);
  hanging.add(call);
}

function killProcess(): void {
  if (hanging.size > 0) process.kill(process.pid, 'SIGKILL');
}

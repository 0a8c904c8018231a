/**
 * Ends workers. Nothing ends a thread in a call of the host that never returns, such as one about a file of a
 * server that has gone. Node waits for its threads when the process ends, so the process would stay, too.
 */
import process from 'node:process';
import { isMainThread, type Worker } from 'node:worker_threads';
import { deferred } from '../deferred.ts';

/** How long a worker may take to end, in ms. One that is in no call takes a few. */
const PATIENCE = 3000;

/** Workers that have not ended in time. */
const hanging = new Set<Worker>();

/**
 * Ends a worker. Resolves when it is gone, or hangs in a call of the host.
 * @param folder how a warning names the folder of its calls
 */
export async function endWorker(worker: Worker, folder: string): Promise<void> {
  const overdue = deferred<void>();
  const ended = worker.terminate().then(() => hanging.delete(worker));
  const timer = setTimeout(() => {
    giveUp(worker, folder);
    overdue.resolve();
  }, PATIENCE);
  await Promise.race([ended, overdue.promise]).finally(() => clearTimeout(timer));
}

function giveUp(worker: Worker, folder: string): void {
  const problem = `${folder} does not answer: its disk or server may have gone`;
  process.emitWarning(`${problem}. This process can only end by SIGKILL.`, 'LinuxRunWarning');
  worker.unref();
  // The process of a caller that has threads of its own is not ours to kill.
  if (hanging.size === 0 && isMainThread) process.once('exit', killProcess);
  hanging.add(worker);
}

function killProcess(): void {
  if (hanging.size > 0) process.kill(process.pid, 'SIGKILL');
}

/**
 * Workers that start before the code that uses them is loaded. That code is another bundle, so they wait at a
 * place that both know.
 */
import { Worker } from 'node:worker_threads';

const KEY = Symbol.for('linuxrun.early-workers');

interface EarlyWorker {
  readonly script: string;
  readonly worker: Worker;
}

const place = globalThis as { [KEY]?: EarlyWorker[] };

/**
 * Starts workers that do not keep the process.
 * @param cache the path of the bundle of node-cache.ts
 */
export function startEarly(cache: string, scripts: readonly string[]): void {
  place[KEY] = scripts.map((script) => {
    const worker = new Worker(cache, { workerData: script });
    worker.unref();
    return { script, worker };
  });
}

/** Returns the worker of a script, if one has been started and not been taken. */
export function takeEarly(script: string): Worker | undefined {
  const workers = place[KEY] ?? [];
  const index = workers.findIndex((each) => each.script === script);
  return index < 0 ? undefined : workers.splice(index, 1)[0]?.worker;
}

/** Ends the workers that nobody has taken. */
export function endEarly(): void {
  for (const { worker } of place[KEY]?.splice(0) ?? []) void worker.terminate();
}

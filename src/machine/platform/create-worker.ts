import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { bundle } from './bundle.ts';
import { takeEarly } from './early-workers.ts';

/**
 * Starts a worker, unless that was done early. A bundled program has its bundled workers beside it.
 * @param source TypeScript
 */
export function createWorker(source: URL): Worker {
  if (import.meta.url.endsWith('.ts')) return new Worker(bundle(source), { eval: true, execArgv: [] });
  const script = fileURLToPath(source.href.replace(/\.[jt]s$/, '.cjs'));
  const cache = new URL('./node-cache.cjs', import.meta.url);
  return takeEarly(script) ?? new Worker(cache, { workerData: script });
}

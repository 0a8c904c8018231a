import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { bundle } from './bundle.ts';

/**
 * Starts a worker. A bundled program has its bundled workers beside it.
 * @param source TypeScript
 */
export function createWorker(source: URL): Worker {
  if (import.meta.url.endsWith('.ts')) return new Worker(bundle(source), { eval: true, execArgv: [] });
  return new Worker(new URL('./node-cache.cjs', import.meta.url), { workerData: bundleOf(source) });
}

const bundleOf = ({ href }: URL) => fileURLToPath(href.replace(/\.[jt]s$/, '.cjs'));

/** The page of the benchmark: what it does is called from outside, where it is measured. */

import { browserPlatform } from '../../src/machine/platform/browser.ts';
import { bootLinux } from '../linux.ts';

/** Runs the ELF at `url` on the core, in the thread of the one worker, and returns what it printed. */
function runWorkload(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.output));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(url);
  });
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

Object.assign(globalThis, { runWorkload, boot: () => bootLinux(browserPlatform(location.href)) });

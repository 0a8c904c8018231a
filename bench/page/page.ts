/** The benchmark's page. The benchmark calls its functions from outside and measures them there. */

import { browserPlatform } from '../../src/machine/platform/browser.ts';
import { bootLinux } from '../linux.ts';

/** Runs the ELF at `url` on the core, in the page's only worker, and returns its output. */
function runWorkload(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.output));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(url);
  });
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

Object.assign(globalThis, { runWorkload, boot: () => bootLinux(browserPlatform(location.href)) });

/** The page of the benchmark: it hands requests to a worker, whose thread is measured from outside. */
const worker = new Worker('/worker.js', { type: 'module' });

/** Runs the ELF at `url` on the core, and returns what it printed. */
function runWorkload(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.output));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(url);
  });
}

Object.assign(globalThis, { runWorkload });

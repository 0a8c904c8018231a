/** Runs programs for the benchmark, which calls these functions from outside. */
import * as api from '../../src/api/browser.ts';
import { browserStore } from '../../src/storage/browser.ts';
import { readStoredCode, replaceStoredCode, type StoredCode } from '../stored-code.ts';

/** Tells the benchmark that a mark has been printed, so that it reads the processor time. */
declare const mark: () => Promise<void>;

/** A run of a program in this page. */
export interface PageRun {
  readonly reference: string;
  readonly command: readonly string[] | undefined;
  readonly memoryMib: number;
  readonly cpus: number;
  /** Stored in place of all others, or those are kept; undefined for a run without the JIT. */
  readonly code: StoredCode | 'kept' | undefined;
  /** The marks: sources of expressions for lines. */
  readonly from: string | undefined;
  readonly to: string;
  /** Whether the program ends by itself after the last mark. */
  readonly toTheEnd: boolean;
}

/** Between the marks. */
export interface PageStretch {
  readonly elapsed: number;
  readonly output: string;
}

api.configure({ assets: new URL('/', location.href) });

/** Stores an image, so that no later run has to, and installs the service worker of later pages. */
async function pull(reference: string): Promise<void> {
  await navigator.serviceWorker.register('service-worker.js', { type: 'module' });
  await navigator.serviceWorker.ready;
  await api.images.pull(reference);
}

async function runProgram(run: PageRun): Promise<PageStretch> {
  if (run.code && run.code !== 'kept') await replaceStoredCode(browserStore().values, run.code);
  const start = performance.now();
  if (!run.from) await mark();
  const builder = new api.Container(run.reference).memory(`${run.memoryMib}M`).cpus(run.cpus);
  if (run.command) builder.entrypoint(run.command);
  const running = await builder.start({ jit: run.code ? 'hot' : 'off' });
  await running.started;
  const stretch = await measureOutput(running.stdout, run, start);
  if (run.toTheEnd) await running.wait();
  await running[Symbol.asyncDispose]();
  return stretch;
}

async function measureOutput(
  stdout: ReadableStream<Uint8Array>,
  { from, to }: PageRun,
  started: number,
): Promise<PageStretch> {
  let start = started;
  let waiting = from === undefined ? undefined : new RegExp(from, 'm');
  let printed = '';
  const decoder = new TextDecoder();
  const reader = stdout.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    printed += decoder.decode(next.value, { stream: true });
    const begin = waiting?.exec(printed);
    if (begin) {
      start = performance.now();
      void mark();
      printed = printed.slice(begin.index);
      waiting = undefined;
    }
    const end = waiting ? null : new RegExp(to, 'm').exec(printed);
    if (!end) continue;
    const elapsed = (performance.now() - start) / 1000;
    await mark();
    void drain(reader);
    return { elapsed, output: printed.slice(0, end.index) };
  }
  throw new Error(`the program ended before it printed ${to}: ${printed}`);
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

/** Runs a script in a container that has a folder of the browser at /kept; returns its output. */
async function runInFolder(reference: string, script: string): Promise<string> {
  const container = new api.Container(reference).mount('/kept', new api.BrowserFolder('bench'));
  const result = await container.entrypoint(['sh', '-c', script]).run();
  return (await result.waitWithOutput()).text();
}

const storedCode = (): Promise<StoredCode> => readStoredCode(browserStore().values);

Object.assign(globalThis, { pull, runInFolder, runProgram, storedCode });

import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports process times in units of 1/100 s (USER_HZ), independently of its own tick. */
const CLOCK_TICKS = 100;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process or thread has ended
  }
}

function numericEntries(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // it has ended as well
  }
}

/**
 * Returns the fields of /proc/…/stat from the third on. The second is a name that may contain parentheses.
 */
function statFields(pid: number | string): string[] {
  return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
}

/** Returns the ids of a process's descendants; of this process by default. */
function descendants(of = String(process.pid)): string[] {
  const children = new Map<string, string[]>();
  for (const pid of numericEntries('/proc')) {
    const parent = statFields(pid)[1];
    if (parent) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const all = [...(children.get(of) ?? [])];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** Returns a function that reads the processor time, in seconds, of the thread with this `/proc` folder. */
export function threadClock(folder: string): () => number {
  return () => Number(read(`${folder}/schedstat`).split(' ')[0]) / 1e9;
}

/** Processor time of a process with all its threads, including ended ones, in seconds to 10 ms. */
export function processTime(pid: number | string): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Peak resident memory of a process so far, in bytes. */
export function peakMemory(pid: number | string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1]) * 1024;
}

/** Returns the ids of this process's descendants that have `word` on their command line. */
export function findProcesses(word: string): string[] {
  return descendants().filter((pid) => read(`/proc/${pid}/cmdline`).includes(word));
}

/**
 * Returns the ids of all processes of a program that this process has started.
 * @param word on the command line of the first of them
 */
export function processTree(word: string): string[] {
  const [first] = findProcesses(word);
  return first === undefined ? [] : [first, ...descendants(first)];
}

/** Returns the `/proc` folders of all threads of this name in this process's descendants. */
export function findThreads(name: string): string[] {
  const threadsOf = (pid: string) =>
    numericEntries(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  return descendants()
    .flatMap(threadsOf)
    .filter((folder) => read(`${folder}/comm`).startsWith(name));
}

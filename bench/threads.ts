import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of threads and processes, as Linux counts it in /proc/…/schedstat. */

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process or thread is gone
  }
}

const numericEntries = (path: string) => readdirSync(path).filter((name) => /^\d+$/.test(name));

/** Ids of this process's children, their children, and so on. */
function descendants(): string[] {
  const children = new Map<string, string[]>();
  for (const pid of numericEntries('/proc')) {
    // The second field is a name in parentheses, which may itself hold some.
    const parent = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[1];
    if (parent) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const all = [...(children.get(String(process.pid)) ?? [])];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** A function that reads the processor time, in seconds, of the thread whose `/proc` folder this is. */
export function threadClock(folder: string): () => number {
  return () => Number(read(`${folder}/schedstat`).split(' ')[0]) / 1e9;
}

function threadsOf(pid: string): string[] {
  try {
    return numericEntries(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  } catch {
    return [];
  }
}

/** Processor time, in seconds, of all threads that this process has now. */
export function processTime(pid: number | string): number {
  return threadsOf(String(pid)).reduce((sum, folder) => sum + threadClock(folder)(), 0);
}

/** Ids of the processes that descend from this one and have `word` among their arguments. */
export function findProcesses(word: string): string[] {
  return descendants().filter((pid) => read(`/proc/${pid}/cmdline`).split('\0').includes(word));
}

/** The `/proc` folders of all threads of this name in the processes that descend from this one. */
export function findThreads(name: string): string[] {
  return descendants()
    .flatMap(threadsOf)
    .filter((folder) => read(`${folder}/comm`).startsWith(name));
}

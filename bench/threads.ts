import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts the time of processes in units of 1/100 s (USER_HZ), whatever its own tick. */
const CLOCK_TICKS = 100;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process or thread is gone
  }
}

function numericEntries(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // gone likewise
  }
}

/** The fields of /proc/…/stat from the third on: the second is a name in parentheses, which may hold some. */
function statFields(pid: number | string): string[] {
  return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
}

/** Ids of this process's children, their children, and so on. */
function descendants(): string[] {
  const children = new Map<string, string[]>();
  for (const pid of numericEntries('/proc')) {
    const parent = statFields(pid)[1];
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

/** Processor time, in seconds, of a process with all its threads, the ended ones too; to 10 ms. */
export function processTime(pid: number | string): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** The most memory that a process has had resident so far, in bytes. */
export function peakMemory(pid: number | string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1]) * 1024;
}

/** Ids of the processes that descend from this one and have `word` on their command line. */
export function findProcesses(word: string): string[] {
  return descendants().filter((pid) => read(`/proc/${pid}/cmdline`).includes(word));
}

/** The `/proc` folders of all threads of this name in the processes that descend from this one. */
export function findThreads(name: string): string[] {
  const threadsOf = (pid: string) =>
    numericEntries(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  return descendants()
    .flatMap(threadsOf)
    .filter((folder) => read(`${folder}/comm`).startsWith(name));
}

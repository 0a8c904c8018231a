import { readdirSync, readFileSync } from 'node:fs';

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

/** The `/proc` folders of all threads of this name in the processes that descend from this one. */
export function findThreads(name: string): string[] {
  return descendants().flatMap((pid) =>
    numericEntries(`/proc/${pid}/task`)
      .map((thread) => `/proc/${pid}/task/${thread}`)
      .filter((folder) => read(`${folder}/comm`).startsWith(name)),
  );
}

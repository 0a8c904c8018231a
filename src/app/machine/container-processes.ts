import type { RunningContainer } from '../../api/public.ts';
import { readAtMost } from './read-at-most.ts';

/** A process of a container. */
export interface ProcessInfo {
  readonly pid: number;
  /** Its program with the arguments, or the name that Linux knows it by. */
  readonly command: string;
  /** The CPUs that it has kept busy since the last look, from 0 on. */
  readonly cpu: number;
  readonly memoryBytes: number;
}

/** More than fit in a list. */
const MOST = 200;
const LONGEST_COMMAND = 200;
/** As long as Linux lets arguments be. */
const LONGEST_FILE = 2 << 20;
/** Linux's for programs. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** The shell's statuses for a program that is missing or cannot run. */
const NOT_STARTED = [126, 127];

/** What `/proc/PID/stat` says (proc_pid_stat(5)). */
interface Stat {
  readonly name: string;
  readonly ticks: number;
  readonly start: number;
  readonly pages: number;
}

type Seen = Map<string, { readonly command: string; readonly ticks: number }>;

/** A container's processes, for the page. */
export class ContainerProcesses {
  readonly #container: () => RunningContainer;
  /** The commands and processor times that were seen last, by number and start of their processes. */
  #seen: Seen = new Map();
  #seenAt = 0;

  /** @param container gives the running container, or throws */
  constructor(container: () => RunningContainer) {
    this.#container = container;
  }

  /** Lists the processes, without those that have ended and are not waited for yet. @throws FileError */
  async list(): Promise<ProcessInfo[]> {
    const pids: number[] = [];
    for await (const { name } of this.#container().fs.opendir('/proc')) {
      if (/^\d{1,9}$/.test(name)) pids.push(Number(name));
      if (pids.length === MOST) break;
    }
    const now = performance.now();
    const seconds = (now - this.#seenAt) / 1000;
    const seen: Seen = new Map();
    const processes: ProcessInfo[] = [];
    for (const pid of pids.sort((a, b) => a - b)) {
      const stat = parseStat(await this.#read(`/proc/${pid}/stat`));
      if (!stat) continue;
      const key = `${pid} ${stat.start}`;
      const before = this.#seen.get(key);
      const command = before?.command ?? commandOf(await this.#read(`/proc/${pid}/cmdline`), stat.name);
      const ticks = stat.ticks - (before?.ticks ?? stat.ticks);
      seen.set(key, { command, ticks: stat.ticks });
      const cpu = Math.max(0, ticks / TICKS_PER_SECOND / seconds);
      processes.push({ pid, command, cpu, memoryBytes: stat.pages * PAGE_BYTES });
    }
    this.#seen = seen;
    this.#seenAt = now;
    return processes;
  }

  /** Asks a process to end, or kills it. @throws Error that says why it cannot */
  async end(pid: number, signal: 'TERM' | 'KILL'): Promise<void> {
    const script = 'kill -"$1" "$2"';
    const child = this.#container().exec(['sh', '-c', script, 'sh', signal, `${pid}`], {
      ...{ user: '0:0', currentDir: '/', stdin: 'null' },
    });
    const { status, stderr } = await child.waitWithOutput();
    if (NOT_STARTED.includes(status)) throw new Error('this image has no shell, which would end the process');
    if (status !== 0) throw new Error(new TextDecoder().decode(stderr).trim() || `status ${status}`);
  }

  /** Returns nothing of a process that has ended, and of one with more arguments than anybody reads. */
  async #read(path: string): Promise<string> {
    const bytes = await readAtMost(this.#container().fs, path, LONGEST_FILE).catch(() => undefined);
    return new TextDecoder().decode(bytes);
  }
}

function parseStat(text: string): Stat | undefined {
  // The name may contain brackets and blanks.
  const { name = '', rest = '' } = /^\d+ \((?<name>.*)\) (?<rest>.*)/s.exec(text)?.groups ?? {};
  // A zombie has ended, but shells take no notice before the next key.
  if (rest.startsWith('Z')) return undefined;
  const fields = rest.split(' ').map(Number);
  const [user = 0, system = 0, start = 0, pages = 0] = [11, 12, 19, 21].map((index) => fields[index]);
  return Number.isFinite(user + system + start + pages) && name !== ''
    ? { name, ticks: user + system, start, pages }
    : undefined;
}

function commandOf(cmdline: string, name: string): string {
  return cmdline.replace(/\0+$/, '').replaceAll('\0', ' ').slice(0, LONGEST_COMMAND) || `[${name}]`;
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeCpio } from '../scripts/setup/cpio.mjs';
import type { HeldImage } from '../src/oci/pull.ts';
import { nodeStore } from '../src/storage/node.ts';
import type { Store } from '../src/storage/store.ts';
import { GUEST_FOLDER, writeGuestInitramfs } from './guest.ts';
import { pullInto, writeRootDisk, writeScratchDisk } from './images.ts';
import { MEMORY_MIB } from './linux.ts';
import { startAlone } from './process.ts';
import type { Program } from './programs.ts';
import { qemuLinux } from './qemu.ts';
import { peakMemory, processTime } from './threads.ts';

const RUN = join(import.meta.dirname, '../run.sh');
/** The size of the disk that the container writes to. */
const SCRATCH_SIZE = 1 << 30;
/** Where `run.sh` looks for images in the user's cache. */
const STORE = 'linuxrun/images';

/** A command whose process runs a container. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** What a container runs, and the size of its machine. */
type Work = Partial<Pick<Program, 'command' | 'memoryMib' | 'cpus'>>;

export interface OurOptions {
  /** Options of `run.sh`. */
  readonly options?: readonly string[];
  /** The path of a Node, instead of this one. */
  readonly node?: string;
}

/** An image in a store of its own. */
export class StoredImage {
  readonly reference: string;
  readonly store: Store;
  readonly #folder: string;
  readonly #image: HeldImage;

  private constructor(folder: string, reference: string, image: HeldImage) {
    this.reference = reference;
    this.store = nodeStore(join(folder, STORE));
    this.#folder = folder;
    this.#image = image;
  }

  /** Stores an image in a folder. */
  static async pull(reference: string, folder: string): Promise<StoredImage> {
    const { image } = await pullInto(join(folder, STORE), reference);
    return new StoredImage(folder, reference, image);
  }

  /** Returns our command line for this image, with a fresh writable disk. */
  ours(
    { command, memoryMib = MEMORY_MIB, cpus = 1 }: Work,
    { options = [], node = process.execPath }: OurOptions = {},
  ): Launch {
    const env = {
      ...process.env,
      PATH: `${dirname(node)}:${process.env.PATH}`,
      XDG_CACHE_HOME: this.#folder,
      LINUXRUN_IMAGE: this.reference,
      LINUXRUN_MEMORY: `${memoryMib}M`,
      LINUXRUN_CPUS: `${cpus}`,
      LINUXRUN_ENTRYPOINT: command?.map(quote).join(' '),
    };
    return { command: RUN, args: options, env };
  }

  /** Returns QEMU's command line: same kernel, size and files. The first call writes the root disk. */
  async qemu({ command, ...size }: Work): Promise<Launch> {
    const { entrypoint, cmd, env } = this.#image.config;
    const [root, scratch, initramfs] = ['root', 'scratch', 'initramfs'].map((name) =>
      join(this.#folder, name),
    ) as [string, string, string];
    if (!existsSync(root)) await writeRootDisk(join(this.#folder, STORE), this.#image, root);
    await writeScratchDisk(scratch, SCRATCH_SIZE);
    await writeFile(initramfs, await initramfsFor([...env, ...(command ?? [...entrypoint, ...cmd])]));
    return {
      command: 'qemu-system-riscv64',
      args: qemuLinux(initramfs, `rdinit=${GUEST_FOLDER}/boot`, [root, scratch], size),
    };
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Adds the environment and the command where `bench/guest/boot.c` finds them, because the kernel's command
 * line is too short for them.
 */
async function initramfsFor(command: readonly string[]): Promise<Buffer> {
  const data = Buffer.from(command.map((word) => `${word}\0`).join(''));
  const entry = { path: `${GUEST_FOLDER.slice(1)}/command`, type: 'file' as const, data };
  return Buffer.concat([await readFile(await writeGuestInitramfs()), writeCpio([entry])]);
}

/** The first start in a folder unpacks the machine, and keeps compiled code when it ends by itself. */
export function runToEnd({ command, args, env }: Launch): void {
  spawnSync(command, args, { env, stdio: 'ignore' });
}

/** The cost of the time between two marks in a program's output, in seconds. */
export interface Stretch {
  elapsed: number;
  /** Processor time of all threads of the machine. */
  cpu: number;
  /** The output between the two marks, in lines that end with a line feed. */
  output: string;
}

export interface ProcessStretch extends Stretch {
  /** Peak resident memory of the process, including the guest's memory, in bytes. */
  memory: number;
  /** The text of the mark at the end. */
  end: string;
}

/**
 * Starts a process and measures it from its start, or from the moment it prints `from`, until it prints `to`.
 * Then kills it.
 */
export function measureUntil(
  { command, args, env }: Launch,
  to: RegExp,
  from?: RegExp,
): Promise<ProcessStretch> {
  return new Promise((resolve, reject) => {
    let [start, before] = [performance.now(), 0];
    let waiting = from;
    const child = startAlone(command, args, env);
    const pid = child.pid as number;
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text.replaceAll('\r', '');
      const mark = waiting?.exec(printed);
      if (mark) {
        [start, before] = [performance.now(), processTime(pid)];
        printed = printed.slice(mark.index);
        waiting = undefined;
      }
      const end = waiting ? null : to.exec(printed);
      if (!end) return;
      const elapsed = (performance.now() - start) / 1000;
      const output = printed.slice(0, end.index);
      resolve({ elapsed, cpu: processTime(pid) - before, memory: peakMemory(pid), output, end: end[0] });
      child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      reject(new Error(`${command} ended (${signal ?? code}) before it printed ${to}: ${printed}`)),
    );
  });
}

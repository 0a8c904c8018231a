import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFolder } from './folder.ts';
import { GUEST_FOLDER, writeGuestInitramfs } from './guest.ts';
import { findTestImage, pullInto, writeRootDisk, writeScratchDisk } from './images.ts';
import { MEMORY_MIB } from './linux.ts';
import { startAlone } from './process.ts';
import { qemuLinux } from './qemu.ts';
import { median, printTable } from './table.ts';
import { peakMemory, processTime } from './threads.ts';

const RUN = join(import.meta.dirname, '../run.sh');
const REQUIRED = 1;
/** Of the disk for what the container writes. */
const SCRATCH_SIZE = 1 << 30;
/** Before each start, so that what the one before left to be cleaned up does not disturb it, in ms. */
const SETTLE = 500;

interface Program {
  readonly title: string;
  readonly tag: string;
  /** In place of what the image names. */
  readonly command?: readonly string[];
  /** What it prints first. */
  readonly output: RegExp;
}

const PROGRAMS: readonly Program[] = [
  { title: 'hello-world', tag: 'hello-world', output: /^Hello/m },
  { title: "python's print(1)", tag: 'python', command: ['python3', '-c', 'print(1)'], output: /^1\r?$/m },
];

/** What it cost up to the container's first output: in seconds, and in bytes. */
interface StartSample {
  elapsed: number;
  cpu: number;
  /** The most that was resident, the guest's memory included. */
  memory: number;
}

type Start = () => Promise<StartSample>;

/** Starts a program and measures it up to its first output, and kills it then. */
function measureStart(
  command: string,
  args: readonly string[],
  output: RegExp,
  env?: NodeJS.ProcessEnv,
): Promise<StartSample> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = startAlone(command, args, env);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (!output.test(printed)) return;
      const elapsed = (performance.now() - start) / 1000;
      const pid = child.pid as number;
      resolve({ elapsed, cpu: processTime(pid), memory: peakMemory(pid) });
      child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      reject(new Error(`${command} ended (${signal ?? code}) before the container printed: ${printed}`)),
    );
  });
}

/** Starts containers from the store, and the same files in QEMU, by turns, and prints a table. */
export async function benchStart(repeat: number): Promise<void> {
  console.log(`Start of a stored image, to the container's first output: medians of ${repeat}`);
  const initramfs = await writeGuestInitramfs();
  for (const program of PROGRAMS) {
    const reference = findTestImage(program.tag);
    if (reference) {
      await withFolder(async (folder) => {
        const starts = await prepareStarts(program, reference, initramfs, folder);
        await compareStarts(program, starts, repeat);
      });
    }
  }
}

async function prepareStarts(
  { command, output }: Program,
  reference: string,
  initramfs: string,
  folder: string,
): Promise<{ qemu: Start; ours: Start }> {
  const store = join(folder, 'linuxrun/images');
  const { image } = await pullInto(store, reference);
  const [root, scratch] = [join(folder, 'root'), join(folder, 'scratch')];
  await writeRootDisk(store, image, root);
  await writeScratchDisk(scratch, SCRATCH_SIZE);
  const { entrypoint, cmd } = image.config;
  const words = command ?? [...entrypoint, ...cmd];
  const boot = `rdinit=${GUEST_FOLDER}/boot -- ${words.join(' ')}`;
  const env = {
    ...process.env,
    XDG_CACHE_HOME: folder,
    LINUXRUN_IMAGE: reference,
    LINUXRUN_MEMORY: `${MEMORY_MIB}M`,
    LINUXRUN_ENTRYPOINT: command?.[0],
    LINUXRUN_ARGS: command?.slice(1).join(' '),
  };
  return {
    qemu: () => measureStart('qemu-system-riscv64', qemuLinux(initramfs, boot, [root, scratch]), output),
    ours: () => measureStart(RUN, [], output, env),
  };
}

async function compareStarts(
  { title }: Program,
  starts: { qemu: Start; ours: Start },
  repeat: number,
): Promise<void> {
  const samples = { qemu: [] as StartSample[], ours: [] as StartSample[] };
  for (let round = 0; round < repeat; round++) {
    for (const name of ['qemu', 'ours'] as const) {
      await sleep(SETTLE);
      samples[name].push(await starts[name]());
    }
  }
  const elapsed = (from: StartSample[]) => median(from.map((sample) => sample.elapsed));
  printTable(
    [title, 'seconds', 'best', 'processor s', 'peak memory MiB'],
    Object.entries(samples).map(([name, from]) => [
      name,
      elapsed(from).toFixed(3),
      Math.min(...from.map((sample) => sample.elapsed)).toFixed(3),
      median(from.map(({ cpu }) => cpu)).toFixed(2),
      (Math.max(...from.map(({ memory }) => memory)) / 2 ** 20).toFixed(0),
    ]),
  );
  const ratio = elapsed(samples.ours) / elapsed(samples.qemu);
  console.log(
    `${title} takes ${ratio.toFixed(2)} × qemu's time (required: at most ${REQUIRED.toFixed(2)})\n`,
  );
}

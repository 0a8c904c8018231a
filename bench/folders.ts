/** Measures a folder of the host in QEMU with Debian's virtiofsd, and in our machine. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Launch, measureUntil, StoredImage } from './containers.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { MEMORY_MIB } from './linux.ts';
import { median, printTable } from './table.ts';

const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';
/** Has git. */
const IMAGE = 'gcc';
const SCRIPT = readFileSync(join(import.meta.dirname, 'guest/folders.sh'), 'utf8');
const MIB = 64;
const TRACKED = 10_000;
/** virtiofsd holds a descriptor for each that the guest knows, and may have 20 000 on some machines. */
const SMALL = 18_000;
const PER_FOLDER = 100;
/** For virtiofsd to listen, in ms. */
const PATIENCE = 10_000;

/** The steps of the script, and the least part of QEMU's speed that each has to have. */
const STEPS = {
  read: { title: `read ${MIB} MiB`, required: 1 },
  write: { title: `write ${MIB} MiB, synced`, required: 1 },
  git: { title: `git status, ${TRACKED} files`, required: 0.7 },
  untar: { title: `untar ${SMALL} small files`, required: 0.7 },
};
type Step = keyof typeof STEPS;
type Times = Readonly<Record<Step, number>>;

/** Runs the same steps on the same folder in turn, and prints a table. */
export async function benchFolders(repeat: number): Promise<void> {
  console.log(`A shared folder of the host, seconds in the guest: medians of ${repeat}`);
  const reference = findTestImage(IMAGE);
  if (!reference) return;
  if (!existsSync(VIRTIOFSD))
    return console.log(`skipped, there is no ${VIRTIOFSD}: apt-get install -y qemu-system-common`);
  await withFolder(async (folder) => {
    const image = await StoredImage.pull(reference, folder);
    const shared = join(folder, 'shared');
    fill(shared);
    let outputs = 0;
    // ext4 searches long for an inode after many were deleted, so each run has a place of its own.
    const work = () => {
      const output = `output${outputs++}`;
      mkdirSync(join(shared, output));
      return { command: ['sh', '-c', SCRIPT, 'sh', `${MIB}`, output] };
    };
    const samples = { qemu: [] as Times[], ours: [] as Times[] };
    for (let round = 0; round < repeat; round++) {
      samples.qemu.push(await runInQemu(await image.qemu(work()), shared, join(folder, 'socket')));
      samples.ours.push(await run(image.ours(work(), { options: ['-v', `${shared}:/share`] })));
    }
    const middle = (way: keyof typeof samples, step: Step) =>
      median(samples[way].map((times) => times[step]));
    printTable(
      ['', 'qemu s', 'ours s', '× qemu', 'required'],
      (Object.keys(STEPS) as Step[]).map((step) => {
        const [qemu, ours] = [middle('qemu', step), middle('ours', step)];
        const { title, required } = STEPS[step];
        return [title, qemu.toFixed(2), ours.toFixed(2), (qemu / ours).toFixed(2), required.toFixed(1)];
      }),
    );
    console.log();
  });
}

function fill(shared: string): void {
  mkdirSync(join(shared, 'repository'), { recursive: true });
  writeFileSync(join(shared, 'big'), Buffer.alloc(MIB << 20, 'content'));
  const repository = join(shared, 'repository');
  makeSmall(repository, TRACKED);
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args], { stdio: 'ignore' });
  git('init', '-q');
  git('add', '.');
  git('-c', 'user.name=b', '-c', 'user.email=b@b', 'commit', '-q', '-m', 'all');
  makeSmall(join(shared, 'tree'), SMALL);
  execFileSync('tar', ['-c', '-f', join(shared, 'small.tar'), '-C', join(shared, 'tree'), '.']);
}

function makeSmall(folder: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const parent = join(folder, `${Math.floor(index / PER_FOLDER)}`);
    if (index % PER_FOLDER === 0) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `file${index}`), `${index} `.repeat(100));
  }
}

async function runInQemu({ command, args }: Launch, shared: string, socket: string): Promise<Times> {
  const options = [`--socket-path=${socket}`, '-o', `source=${shared}`, '--rlimit-nofile=100000'];
  const server = spawn(VIRTIOFSD, options, { stdio: 'ignore' });
  try {
    for (const end = performance.now() + PATIENCE; !existsSync(socket); await sleep(50))
      if (performance.now() > end) throw new Error('virtiofsd does not listen: it needs root');
    const memory = `memory-backend-memfd,id=memory,size=${MEMORY_MIB}M,share=on`;
    return await run({
      command,
      args: [
        ...args,
        ...['-object', memory, '-machine', 'memory-backend=memory'],
        ...['-chardev', `socket,id=folder,path=${socket}`],
        ...['-device', 'vhost-user-fs-device,chardev=folder,tag=linuxrun'],
      ],
    });
  } finally {
    server.kill();
    rmSync(socket, { force: true });
  }
}

async function run(launch: Launch): Promise<Times> {
  const { output } = await measureUntil(launch, /^end$/m);
  const times = [...output.matchAll(/^step (\w+) ([\d.]+) ([\d.]+)$/gm)].map(([, step, begin, end]) => [
    step,
    Number(end) - Number(begin),
  ]);
  if (times.length !== Object.keys(STEPS).length) throw new Error(`the script failed: ${output}`);
  return Object.fromEntries(times);
}

/** Measures commands: their round trip beside processes of this computer, and their streams. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command, configure } from '../src/api/node.ts';
import { withFolder } from './folder.ts';
import { PUBLIC } from './platform.ts';
import { median, printTable } from './table.ts';

const BUSYBOX = 'dist/busybox';
const IMAGE = `oci://${PUBLIC}/images:busybox`;
const ROUND_TRIPS = 100;
const PARALLEL = 100;
const REQUIRED_ROUND_TRIP = 12;
const MEGABYTES = 256;

/** Prints the time of the first command, of those that follow, and of their bytes. */
export async function benchCommand(repeat: number): Promise<void> {
  await withFolder(async (store) => {
    configure({ assets: PUBLIC, store });
    console.log('Start of a command, in ms');
    const shared = new Command('true');
    const own = new Command('true').image(IMAGE);
    printTable(
      ['', 'first', 'second'],
      [
        ['in the shared container', ...(await timesOf(shared, 2))],
        ['in a machine of its own', ...(await timesOf(own, 2))],
      ],
    );
    await benchRoundTrips(repeat);
    await benchStreams(repeat);
  });
}

async function timesOf(command: Command, count: number): Promise<string[]> {
  const times: string[] = [];
  for (let run = 0; run < count; run++) times.push((await timeOf(() => command.output())).toFixed(0));
  return times;
}

async function benchRoundTrips(repeat: number): Promise<void> {
  console.log(`\nRound trip of \`true\`, in ms: medians of ${repeat} × ${ROUND_TRIPS}`);
  const rows: string[][] = [];
  for (const [title, run] of [
    ['command', () => new Command('true').output()],
    ['native process', () => runHere('true')],
    ['process in qemu-riscv64', () => runHere('qemu-riscv64', BUSYBOX, 'true')],
  ] as const) {
    const times: number[] = [];
    const before = process.cpuUsage();
    for (let round = 0; round < repeat * ROUND_TRIPS; round++) times.push(await timeOf(run));
    const { user, system } = process.cpuUsage(before);
    rows.push([title, median(times).toFixed(1), ((user + system) / 1000 / times.length).toFixed(1)]);
  }
  printTable(['', 'round trip', 'CPU time of this process'], rows);
  console.log(`A command may take ${REQUIRED_ROUND_TRIP} ms.`);
  const all = () => Promise.all(Array.from({ length: PARALLEL }, () => new Command('true').output()));
  console.log(`${PARALLEL} commands at a time take ${(await timeOf(all)).toFixed(0)} ms.\n`);
}

async function runHere(program: string, ...args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'close');
}

async function benchStreams(repeat: number): Promise<void> {
  console.log(`${MEGABYTES} MB, in MB/s: medians of ${repeat}`);
  const rows: string[][] = [];
  for (const [title, command, isFed] of [
    ['output', new Command('dd').args(['if=/dev/zero', 'bs=64000', `count=${MEGABYTES * 15.625}`]), false],
    ['input and output', new Command('cat'), true],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < repeat; round++) times.push(await timeOf(() => transfer(command, isFed)));
    rows.push([title, (MEGABYTES / (median(times) / 1000)).toFixed(0)]);
  }
  printTable(['', 'MB/s'], rows);
}

async function transfer(command: Command, isFed: boolean): Promise<void> {
  const child = command.spawn();
  const fed = isFed ? feed(child.stdin) : child.stdin.close();
  await child.stdout.pipeTo(new WritableStream());
  await Promise.all([fed, child.wait()]);
}

async function feed(stdin: WritableStream<Uint8Array>): Promise<void> {
  const writer = stdin.getWriter();
  const piece = new Uint8Array(1e6);
  for (let sent = 0; sent < MEGABYTES; sent++) await writer.write(piece);
  await writer.close();
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Measures the network card with our NAT, and QEMU's with its user network, in turn. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Machine, type NetworkStatus } from '../src/machine/machine.ts';
import { measureUntil } from './containers.ts';
import { GUEST_FOLDER, writeGuestInitramfs } from './guest.ts';
import { KERNEL, MEMORY_MIB } from './linux.ts';
import { benchPlatform } from './platform.ts';
import { qemuLinux } from './qemu.ts';
import { median, printTable } from './table.ts';

const PROGRAM = `${GUEST_FOLDER}/net`;
/** The server, as the guest sees it. */
const QEMU_HOST = '10.0.2.2';
const OUR_HOST = '192.0.2.1';
const LONG = 500e6;
/** The network's status is a second old at most, unless the machine is busy. In ms. */
const STATUS_INTERVAL = 2500;
const REQUIRED = { down: 60, up: 15, cpu: 22, roundTrip: 1.5, chromium: 25, pageCpu: 16, relayCpu: 6 };

interface Transfer {
  readonly title: string;
  readonly mode: 'down' | 'up' | 'echo';
  /** Bytes, or round trips. */
  readonly amount: number;
}

const DOWN: Transfer = { title: 'down', mode: 'down', amount: 200e6 };
const UP: Transfer = { title: 'up', mode: 'up', amount: 100e6 };
const ECHO: Transfer = { title: 'round trip', mode: 'echo', amount: 2000 };

/** Seconds, except for the counts. */
interface Sample {
  /** Guest time. */
  readonly elapsed: number;
  /** Processor time of the emulator with its network. */
  readonly cpu: number;
  /** Segments that the guest sent again, those that our NAT did, and frames that the guest dropped. */
  readonly resentUp: number;
  readonly resentDown: number;
  readonly droppedDown: number;
  readonly droppedUp: number;
}

interface Setting {
  readonly wasm: string;
  readonly initramfs: string;
  readonly port: string;
}

const BEGIN = /^begin$/m;
const END = /^net ok (\d+) (\d+) (\d+) (\d+)$/m;

function parseEnd(output: string, cpu: number, resentDown = 0): Sample {
  const [, microseconds, ...others] = END.exec(output) ?? [];
  if (microseconds === undefined) throw new Error(`the network cannot be measured: ${output.trim()}`);
  const [resentUp, droppedDown, droppedUp] = others.map(Number) as [number, number, number];
  return { elapsed: Number(microseconds) / 1e6, cpu, resentUp, resentDown, droppedDown, droppedUp };
}

async function inQemu({ initramfs, port }: Setting, { mode, amount }: Transfer): Promise<Sample> {
  const command = `rdinit=${PROGRAM} -- ${mode} ${QEMU_HOST} ${port} ${amount}`;
  const network = ['-netdev', 'user,id=net', '-device', 'virtio-net-device,netdev=net'];
  const args = [...qemuLinux(initramfs, command), ...network];
  const { end, cpu } = await measureUntil({ command: 'qemu-system-riscv64', args }, END, BEGIN);
  return parseEnd(end, cpu);
}

async function inNode(setting: Setting, { mode, amount }: Transfer): Promise<Sample> {
  const platform = benchPlatform(setting.wasm);
  const statuses: NetworkStatus[] = [];
  const machine = await Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await platform.loadFile(KERNEL),
    initrd: await readFile(setting.initramfs),
    cpus: 1,
    memoryBytes: MEMORY_MIB * 2 ** 20,
    commandLine: 'quiet',
    network: { aliases: { [OUR_HOST]: '127.0.0.1' } },
    onNetwork: (status) => void statuses.push(status),
  });
  try {
    const process_ = machine.run({ args: [PROGRAM, mode, OUR_HOST, setting.port, String(amount)] });
    let output = '';
    let before = process.cpuUsage();
    for await (const bytes of process_.stdout) {
      if (output === '') before = process.cpuUsage();
      output += Buffer.from(bytes).toString();
    }
    const { user, system } = process.cpuUsage(before);
    await sleep(STATUS_INTERVAL);
    return parseEnd(output, (user + system) / 1e6, statuses.at(-1)?.resent);
  } finally {
    await machine.stop();
  }
}

async function startServer(): Promise<{
  child: ChildProcessByStdio<null, Readable, null>;
  port: string;
}> {
  const script = join(import.meta.dirname, 'net-server.mjs');
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, port: String(line).trim() };
}

/** Prints tables of one TCP stream in each direction, of round trips, and of what a long transfer loses. */
export async function benchNet(wasm: string, repeat: number): Promise<void> {
  const { child, port } = await startServer();
  try {
    const setting = { wasm, initramfs: await writeGuestInitramfs(), port };
    console.log(`One TCP connection to a server on the loopback interface: medians of ${repeat}`);
    const rows: string[][] = [];
    for (const transfer of [DOWN, UP, ECHO]) rows.push(...(await compare(setting, transfer, repeat)));
    printTable(['', 'qemu', 'ours', 'ratio'], rows);
    console.log(
      `required: ${REQUIRED.down} MB/s down, ${REQUIRED.up} MB/s up, at most ${REQUIRED.cpu} ms/MB down, ` +
        `${REQUIRED.roundTrip} × QEMU's round trip`,
    );
    const { resentUp, resentDown, droppedDown, droppedUp } = await inNode(setting, { ...DOWN, amount: LONG });
    console.log(
      `${LONG / 1e6} MB down: the guest dropped ${droppedDown} frames down and ${droppedUp} up, ` +
        `${resentDown} segments were sent again down and ${resentUp} up (required: 0)\n`,
    );
    await benchInChromium(setting, repeat);
  } finally {
    child.kill();
  }
}

async function benchInChromium({ wasm, port }: Setting, repeat: number): Promise<void> {
  const { runInChromium } = await import('./net-chromium.ts');
  const words = [DOWN.mode, OUR_HOST, port, String(DOWN.amount)];
  const samples: (Sample & { readonly relayCpu: number })[] = [];
  for (let round = 0; round < repeat; round++) {
    const { output, pageCpu, relayCpu } = await runInChromium(wasm, OUR_HOST, words);
    samples.push({ ...parseEnd(output, pageCpu), relayCpu });
  }
  console.log(`The same in Chromium, behind our relay: medians of ${repeat}`);
  const megabytes = DOWN.amount / 1e6;
  printTable(
    ['', 'MB/s', 'page, CPU ms/MB', 'relay, CPU ms/MB'],
    [
      [
        'down',
        (megabytes / median(samples.map(({ elapsed }) => elapsed))).toFixed(1),
        ((median(samples.map(({ cpu }) => cpu)) * 1000) / megabytes).toFixed(1),
        ((median(samples.map(({ relayCpu }) => relayCpu)) * 1000) / megabytes).toFixed(1),
      ],
    ],
  );
  console.log(
    `required: ${REQUIRED.chromium} MB/s, at most ${REQUIRED.pageCpu} ms/MB in the page and ${REQUIRED.relayCpu} in the relay\n`,
  );
}

async function compare(setting: Setting, transfer: Transfer, repeat: number): Promise<string[][]> {
  const [qemu, ours]: [Sample[], Sample[]] = [[], []];
  for (let round = 0; round < repeat; round++) {
    qemu.push(await inQemu(setting, transfer));
    ours.push(await inNode(setting, transfer));
  }
  const { title, amount } = transfer;
  const row = (unit: string, figure: (sample: Sample) => number): string[] => {
    const [theirs, own] = [qemu, ours].map((samples) => median(samples.map(figure))) as [number, number];
    return [`${title}, ${unit}`, theirs.toFixed(1), own.toFixed(1), (own / theirs).toFixed(2)];
  };
  if (transfer.mode === 'echo')
    return [
      row('µs', ({ elapsed }) => (elapsed / amount) * 1e6),
      row('CPU µs', ({ cpu }) => (cpu / amount) * 1e6),
    ];
  return [
    row('MB/s', ({ elapsed }) => amount / elapsed / 1e6),
    row('CPU ms/MB', ({ cpu }) => (cpu * 1e9) / amount),
  ];
}

/** Measures connections to servers in a container, which go past the network card. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerMachine, startContainer } from '../src/container/container.ts';
import type { Connection } from '../src/machine/machine.ts';
import { withFolder } from './folder.ts';
import { pullInto } from './images.ts';
import { benchPlatform, PUBLIC } from './platform.ts';
import { median, printTable } from './table.ts';

const MIB = 2 ** 20;
const PIECE = 64 * 1024;
const PIECES = 1280;
const MEGABYTES = (PIECES * PIECE) / 1e6;
const ROUND_TRIPS = 500;
const REFUSALS = 200;
const OBSERVED = 5000;
const REQUIRED_REFUSAL = 100;
const REQUIRED_IDLE = 3;
/** Ports of servers, and one without. */
const [SOURCE, SINK, ECHO, CLOSED] = [8001, 8002, 8003, 8004] as const;
const SERVERS = [
  `nc -ll -p ${SOURCE} -e dd if=/dev/zero bs=${PIECE} count=${PIECES}`,
  `nc -ll -p ${SINK} -e dd of=/dev/null bs=${PIECE}`,
  `nc -ll -p ${ECHO} -e cat`,
].join(' & ');

interface Cost {
  readonly seconds: number;
  /** Processor time of this process, in seconds. */
  readonly cpu: number;
  readonly instructions: number;
}

/** Prints the cost of a transfer, a round trip, a refusal and the watch for ports. */
export async function benchConnect(wasm: string, repeat: number): Promise<void> {
  await withFolder(async (store) => {
    const { image } = await pullInto(store, `oci://${PUBLIC}/images:busybox`);
    const size = { cpus: 1, memoryBytes: 256 * MIB, diskBytes: 64 * MIB };
    const args = ['sh', '-c', SERVERS];
    const container = await startContainer({ platform: benchPlatform(wasm), image, store, args, ...size });
    try {
      await listening(container);
      await benchTransfers(container, repeat);
      await benchRoundTrips(container);
      await benchIdle(container);
    } finally {
      await container.destroy();
    }
  });
}

async function listening(container: ContainerMachine): Promise<void> {
  const open = new Set([SOURCE, SINK, ECHO]);
  const ports = container.ports.getReader();
  while (open.size > 0) open.delete((await ports.read()).value?.port as typeof SOURCE);
  await ports.cancel();
}

async function benchTransfers(container: ContainerMachine, repeat: number): Promise<void> {
  console.log(`${MEGABYTES.toFixed(0)} MB by one connection into a container: medians of ${repeat}`);
  const rows = [];
  for (const [title, transfer] of [
    ['down', down],
    ['up', up],
  ] as const) {
    const costs: Cost[] = [];
    for (let round = 0; round < repeat; round++)
      costs.push(await costOf(container, () => transfer(container)));
    const middle = (figure: (cost: Cost) => number) => median(costs.map(figure));
    rows.push([
      title,
      (MEGABYTES / middle(({ seconds }) => seconds)).toFixed(1),
      (middle(({ cpu }) => cpu * 1000) / MEGABYTES).toFixed(1),
      (middle(({ instructions }) => instructions / 1e6) / MEGABYTES).toFixed(2),
    ]);
  }
  printTable(['', 'MB/s', 'CPU ms/MB', 'M instructions/MB'], rows);
}

async function benchRoundTrips(container: ContainerMachine): Promise<void> {
  const { readable, writable } = await container.connect(ECHO);
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const trips = await timesOf(ROUND_TRIPS, async () => {
    await writer.write(new Uint8Array(64));
    await reader.read();
  });
  await writer.abort();
  const refusals = await timesOf(REFUSALS, () => container.connect(CLOSED).catch(() => {}));
  console.log(`round trip of 64 bytes: ${median(trips).toFixed(2)} ms`);
  console.log(
    `refused: ${median(refusals).toFixed(2)} ms, at most ${Math.max(...refusals).toFixed(1)} (required: under ${REQUIRED_REFUSAL})`,
  );
}

async function benchIdle(container: ContainerMachine): Promise<void> {
  const ports = container.ports.getReader();
  await ports.read();
  const { cpu, seconds, instructions } = await costOf(container, () => sleep(OBSERVED));
  await ports.cancel();
  console.log(
    `idle, with its ports watched: ${((cpu / seconds) * 100).toFixed(2)} % of a core (required: under ${REQUIRED_IDLE}), ` +
      `${(instructions / seconds / 1e6).toFixed(2)} M instructions/s\n`,
  );
}

async function costOf(container: ContainerMachine, work: () => Promise<unknown>): Promise<Cost> {
  const retired = () => container.stats().instructions.reduce((sum, each) => sum + each, 0);
  const [instructions, cpu, start] = [retired(), process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    seconds: (performance.now() - start) / 1000,
    cpu: (user + system) / 1e6,
    instructions: retired() - instructions,
  };
}

async function timesOf(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

async function down(container: ContainerMachine): Promise<void> {
  const { readable, writable } = await container.connect(SOURCE);
  await writable.close();
  await readToEnd(readable);
}

async function up(container: ContainerMachine): Promise<void> {
  const { readable, writable } = await container.connect(SINK);
  const writer = writable.getWriter();
  const piece = new Uint8Array(PIECE);
  for (let sent = 0; sent < PIECES; sent++) await writer.write(piece);
  await writer.close();
  await readToEnd(readable);
}

/** @throws Error if the server did not send everything to its end */
async function readToEnd(readable: Connection['readable']): Promise<void> {
  const reader = readable.getReader();
  while (!(await reader.read()).done);
}

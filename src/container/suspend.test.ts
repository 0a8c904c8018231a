import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SavedRam } from '../../emulator-wasm/test/suspend/disturbance.ts';
import { MachineError } from '../machine/errors.ts';
import {
  type ContainerProcess,
  type DiskOptions,
  diskSerial,
  type FirstProcess,
  Machine,
  type Resumed,
  type ResumeOptions,
} from '../machine/machine.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { chunks } from '../streams/chunks.ts';
import { DEMO_IMAGES, PUBLIC, pull, store, text } from './testing/run.ts';

const MIB = 1 << 20;
const platform = nodePlatform(PUBLIC);
/** An address outside, which leads to this machine. */
const OUTSIDE = '93.184.216.34';
const network = { aliases: { [OUTSIDE]: '127.0.0.1' } };
const disks = [{ kind: 'image', store } as const, { kind: 'scratch', sizeBytes: 64 * MIB } as const];

let emulator: WebAssembly.Module;
let machine: Machine;
let container: FirstProcess;

beforeAll(async () => {
  const image = await pull(`${DEMO_IMAGES}:busybox`);
  emulator = await platform.loadEmulator();
  machine = await Machine.start(platform, {
    emulator,
    kernel: await platform.loadFile('kernel/Image'),
    initrd: await platform.loadFile('kernel/initramfs.cpio'),
    cpus: 2,
    memoryBytes: 128 * MIB,
    commandLine: 'quiet',
    disks,
    network,
  });
  await machine.openImage(image.layers);
  container = machine.runContainer({
    ...{
      args: ['sh', '-c', 'read line; echo got $line; exit 7'],
      env: ['PATH=/bin'],
      directory: '/',
      user: '',
    },
    ...{ name: 'one', hostname: 'one', volumes: [], devices: [], tmpfs: [] },
    disks: { image: diskSerial(0), scratch: diskSerial(1) },
  });
  await container.started;
}, 60_000);
afterAll(() => machine?.stop());

/** Puts another machine in the place of this one. */
async function replace(options: Partial<ResumeOptions> = {}): Promise<Machine> {
  const suspended = await machine.suspend();
  const [state, ram] = [structuredClone(suspended.state), suspended.ram.slice()];
  await machine.stop();
  machine = await Machine.start(platform, {
    ...{ emulator, disks, network, state, fillRam: (empty: Uint8Array) => empty.set(ram) },
    ...options,
  });
  container = machine.resumed?.containers[0] as FirstProcess;
  return machine;
}

const shell = (script: string, terminal?: { columns: number; rows: number }) =>
  machine.exec(container, {
    args: ['sh', '-c', script],
    env: ['PATH=/bin'],
    directory: '/',
    user: '',
    terminal,
  });

test('files, and what a program holds, are there after a suspension', async () => {
  expect(await text(shell('echo 1 > /file; cat /file').stdout)).toBe('1\n');
  await replace();
  expect(await text(shell('cat /file; ls -d /bin').stdout)).toBe('1\n/bin\n');
});

test('pages that disks, sockets or processes have written are dirty', async () => {
  const first = await machine.suspend();
  const saved = new SavedRam(first.ram.slice());
  first.markSaved();
  await first.resume();
  const script =
    'find / -xdev -type f -exec cat {} + | tee /all | sha256sum; sha256sum < /all; rm /all; sync';
  const work = shell(script);
  let isDone = false;
  void work.exit.then(() => {
    isDone = true;
  });
  const output = text(work.stdout);
  for (let round = 0; !isDone || round < 3; round++) {
    const suspended = await machine.suspend();
    // Fails if the copy of the dirty pages differs from RAM.
    saved.save(suspended);
    await suspended.resume();
    await delay(20);
  }
  const [read, written] = (await output).trim().split('\n');
  expect(read).toMatch(/^[0-9a-f]{64} /);
  expect(written).toBe(read);
});

const SIZE = 3 * MIB;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** Bytes that do not repeat. */
const noise = Buffer.concat(
  Array.from({ length: SIZE / 32 }, (_, i) => createHash('sha256').update(`${i}`).digest()),
);

/** Reads up to this number of bytes, and lets the stream go. */
async function take(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let length = 0; length < most; ) {
    const { value } = await reader.read();
    if (!value) break;
    parts.push(value);
    length += value.length;
  }
  reader.releaseLock();
  return Buffer.concat(parts);
}

/** Writes the rest of `bytes` from a place on, until the stream fails. @returns where it failed */
async function give(stream: WritableStream<Uint8Array>, bytes: Uint8Array, from: number): Promise<number> {
  const writer = stream.getWriter();
  let at = from;
  try {
    for (let next = at; at < bytes.length; at = next) {
      next = Math.min(at + 50_000, bytes.length);
      await writer.write(bytes.subarray(at, next));
    }
    await writer.close();
  } catch {
    writer.releaseLock();
  }
  return at;
}

test('no byte of a stream through several machines is lost or doubled', async () => {
  let filter = shell('cat; echo end >&2');
  const received: Uint8Array[] = [];
  let giving = give(filter.stdin, noise, 0);
  for (let round = 0; round < 4; round++) {
    received.push(await take(filter.stdout, 400_000));
    await replace();
    const at = await giving;
    filter = machine.resumed?.processes[0] as ContainerProcess;
    giving = give(filter.stdin, noise, at);
  }
  const [rest, end, status] = await Promise.all([
    take(filter.stdout, Number.POSITIVE_INFINITY),
    text(filter.stderr),
    filter.exit,
  ]);
  expect([end, status]).toEqual(['end\n', 0]);
  const all = Buffer.concat([...received, rest]);
  expect(all.length).toBe(SIZE);
  expect(sha256(all)).toBe(sha256(noise));
}, 60_000);

test('a machine that goes on itself keeps everything, also what was begun meanwhile', async () => {
  const filter = shell('cat');
  const giving = give(filter.stdin, noise, 0);
  const first = await take(filter.stdout, 400_000);
  const ports = machine.ports(container).getReader();
  const suspended = await machine.suspend();
  const second = shell('echo second');
  const reading = take(filter.stdout, Number.POSITIVE_INFINITY);
  await suspended.resume();
  const all = Buffer.concat([first, await reading]);
  expect([await giving, sha256(all)]).toEqual([SIZE, sha256(noise)]);
  expect(await text(second.stdout)).toBe('second\n');
  shell('nc -l -p 81');
  expect(await ports.read()).toMatchObject({ value: { port: 81, open: true } });
});

/** Waits for a server. */
async function listening(port: number): Promise<void> {
  for await (const change of chunks(machine.ports(container))) if (change.port === port) return;
  throw new Error(`no server listens on port ${port}`);
}

test('terminals, ends and servers are there again', async () => {
  const size = { columns: 80, rows: 24 };
  const ended = shell('yes | head -c 30000');
  const wait = 'while [ "$(stty size)" = "24 80" ]; do sleep 0.1; done';
  const screen = shell(`stty size; read line; ${wait}; stty size; echo $line`, size);
  expect(Buffer.from(await take(screen.stdout, 6)).toString()).toBe('24 80\r\n');
  shell('while echo hello | nc -l -p 82; do :; done');
  await listening(82);
  expect(await ended.exit).toBe(0);
  await replace();
  const [first, second, third] = (machine.resumed as Resumed).processes.slice(-3);
  expect([await first?.exit, (await text(first?.stdout as ContainerProcess['stdout'])).length]).toEqual([
    0, 30_000,
  ]);
  second?.resize(100, 30);
  await second?.stdin.getWriter().write(Buffer.from('typed\r'));
  expect(await text(second?.stdout as ContainerProcess['stdout'])).toBe('typed\r\n30 100\r\ntyped\r\n');
  const connection = await machine.connect(container, 82);
  expect(await text(connection.readable)).toBe('hello\n');
  await connection.writable.close();
  await listening(82);
  third?.killAll();
  expect(await third?.exit).toBe(137);
});

test('a connection to a server that was open ends with an error on both sides', async () => {
  const outcome = 'while ! grep ended /outcome; do sleep 0.1; done; cat /outcome';
  const script = '2> /outcome cat; echo "ended with $?" >> /outcome';
  const server = shell(`nc -l -p 83 -e sh -c '${script}'`);
  await listening(83);
  const { readable } = await machine.connect(container, 83);
  const reading = text(readable);
  const failure = expect(reading).rejects.toThrow('the machine was stopped');
  await expect(server.started).resolves.toBe(true);
  await replace();
  await failure;
  expect(await text(shell(outcome).stdout)).toMatch(/reset by peer\nended with 1/);
});

test('a connection to the outside is reset at once, and new ones are made', async () => {
  let clients = 0;
  const ends: (string | undefined)[] = [];
  const server = createServer((socket) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => ends.push(code));
    socket.on('end', () => ends.push('end'));
    socket.write(`client ${++clients}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const first = shell(`nc ${OUTSIDE} ${port}`);
  expect(Buffer.from(await take(first.stdout, 9)).toString()).toBe('client 1\n');
  await replace();
  await expect.poll(() => ends, { timeout: 5000 }).toEqual(['ECONNRESET']);
  const began = performance.now();
  const waiting = (machine.resumed as Resumed).processes.at(-1) as ContainerProcess;
  expect(await waiting.exit).toBe(0);
  expect(performance.now() - began).toBeLessThan(5000);
  const second = shell(`nc ${OUTSIDE} ${port}`);
  expect(Buffer.from(await take(second.stdout, 9)).toString()).toBe('client 2\n');
  second.kill(9);
  server.close();
});

/** A process whose output is counted over several machines. */
interface Counted {
  process: ContainerProcess;
  received: Buffer[];
  reading: Promise<void>;
}

function count(process: ContainerProcess, received: Buffer[] = []): Counted {
  const read = async () => {
    try {
      for await (const bytes of chunks(process.stdout)) received.push(Buffer.from(bytes));
    } catch {
      // The machine was suspended and stopped.
    }
  };
  return { process, received, reading: read() };
}

const ROUNDS = process.env.LONG_TESTS ? 100 : 3;

test(
  'processes that start and end at the moment of a suspension lose nothing',
  async () => {
    let running: Counted[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const lengths = [0, 10, 200_000].map((length) => length + round);
      running.push(...lengths.map((length) => count(shell(`yes ${length} | head -c ${length}`))));
      if (round % 3 > 0) await delay(round % 7);
      await replace();
      await Promise.all(running.map(({ reading }) => reading));
      const others = (machine.resumed as Resumed).processes.length - running.length;
      expect(others).toBeGreaterThanOrEqual(0);
      running = running.map(({ received }, i) =>
        count((machine.resumed as Resumed).processes[others + i] as ContainerProcess, received),
      );
      const ended = await Promise.all(
        running.map(({ process, reading }) => Promise.all([process.exit, reading])),
      );
      expect(ended.map(([status]) => status)).toEqual(lengths.map(() => 0));
      expect(running.map(({ received }) => Buffer.concat(received).length)).toEqual(lengths);
      running = [];
    }
  },
  ROUNDS * 10_000,
);

test('requests whose answers nobody can take any more end in the guest', async () => {
  const count = async () => {
    const { stdout } = machine.run({ args: ['sh', '-c', 'ls -d /proc/[0-9]*'] });
    return (await text(stdout)).trim().split('\n').length;
  };
  await replace();
  // Those of earlier tests end first.
  let before = await count();
  for (let last = 0; last !== before; before = await count()) {
    last = before;
    await delay(300);
  }
  machine.files.watch(container, '/', true);
  machine.ports(container);
  await expect.poll(count, { timeout: 10_000 }).toBe(before + 2);
  await replace();
  await expect.poll(count, { timeout: 10_000 }).toBe(before);
});

test('a machine without the same layers, disks or network says what it lacks', async () => {
  const suspended = await machine.suspend();
  const [state, ram] = [structuredClone(suspended.state), suspended.ram.slice()];
  const options = { emulator, disks, network, state, fillRam: (empty: Uint8Array) => empty.set(ram) };
  const start = (change: Partial<ResumeOptions>) => Machine.start(platform, { ...options, ...change });
  const folder = mkdtempSync(join(tmpdir(), 'linuxrun-empty-'));
  const empty = { kind: 'image', store: folder } as const;
  const [image, scratch] = disks as [DiskOptions, DiskOptions];
  const failures: [Partial<ResumeOptions>, RegExp][] = [
    [{ disks: [empty, scratch] }, /^layer sha256:[0-9a-f]{64} of the image is not stored any more/],
    [{ disks: [image] }, /needs a machine with the same disks/],
    [{ disks: [scratch, image] }, /needs a machine with the same disks/],
    [{ network: undefined }, /the same kind of network as before/],
  ];
  for (const [change, message] of failures) {
    const error = await start(change).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(MachineError);
    expect((error as Error).message).toMatch(message);
  }
  rmSync(folder, { recursive: true });
  await suspended.resume();
});

test('the first process goes on to its end', async () => {
  await replace();
  const writer = container.stdin.getWriter();
  await writer.write(Buffer.from('it\n'));
  expect(await text(container.stdout)).toBe('got it\n');
  expect(await container.exit).toBe(7);
});

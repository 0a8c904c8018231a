import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readLayers } from '../disk/testing/images.ts';
import { writeLayout } from '../disk/testing/layout-writer.ts';
import { concat, type EntrySpec, end, entry } from '../disk/testing/tar-writer.ts';
import { diskSerial, Machine, type MachineState } from '../machine/machine.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import type { HeldImage } from '../oci/pull.ts';
import { boot, PUBLIC, pull, store, text } from './testing/run.ts';

const MIB = 1 << 20;
const MACHINES = process.env.LONG_TESTS ? 1000 : 3;
const ROOT = join(import.meta.dirname, '../..');
const platform = nodePlatform(PUBLIC);

let folder: string;
let image: HeldImage;
let saved: Saved;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-random-'));
  const program = join(folder, 'random');
  execFileSync('riscv64-linux-gnu-gcc', [
    '-O2',
    '-static',
    '-o',
    program,
    join(ROOT, 'kernel/init/test/random.c'),
  ]);
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: [] };
  const contents = new Uint8Array(readFileSync(program));
  const layer = concat(
    entry({ ...attributes, type: 'file', path: 'bin/random', contents } as EntrySpec),
    end(),
  );
  await writeLayout(join(folder, 'layout'), 'image', [
    ...readLayers('busybox', join(PUBLIC, 'images')),
    layer,
  ]);
  image = await pull(`oci://${join(folder, 'layout')}:image`);
  saved = await save();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const SCRATCH = { kind: 'scratch', sizeBytes: 64 * MIB } as const;

/** The state of a machine that has booted. */
async function save(): Promise<{ state: MachineState; ram: Uint8Array }> {
  const machine = await boot([SCRATCH], { memoryBytes: 64 * MIB });
  // The agent cannot answer before it has started.
  const { state, ram } = await vi.waitFor(() => machine.suspend(), 20_000);
  const saved = { state: structuredClone(state), ram: ram.slice() };
  await machine.stop();
  return saved;
}

type Saved = Awaited<ReturnType<typeof save>>;

/** Runs `work` in a machine from this state. */
async function withMachine<T>({ state, ram }: Saved, work: (machine: Machine) => Promise<T>): Promise<T> {
  const emulator = await platform.loadEmulator();
  const machine = await Machine.start(platform, {
    emulator,
    state,
    disks: [{ kind: 'image', store }, SCRATCH],
    fillRam: (empty) => empty.set(ram),
  });
  try {
    await machine.openImage(image.layers);
    return await work(machine);
  } finally {
    await machine.stop();
  }
}

async function run(machine: Machine, ...args: string[]): Promise<string> {
  const container = machine.runContainer({
    ...{ args, env: ['PATH=/bin'], directory: '/', user: '', name: 'one', hostname: 'one' },
    ...{ volumes: [], devices: [], tmpfs: [] },
    disks: { image: diskSerial(0), scratch: diskSerial(1) },
  });
  const [output, messages, status] = await Promise.all([
    text(container.stdout),
    text(container.messages),
    container.exit,
  ]);
  expect([messages, status]).toEqual(['', 0]);
  return output;
}

/** What the first container of a machine has of random things, by name. */
async function sample(saved: Saved): Promise<[string, string][]> {
  const begin = Date.now();
  const output = await withMachine(saved, (machine) => run(machine, 'random'));
  const [time, ...values] = output
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
  expect(Number(time?.[1])).toBeGreaterThan(begin - CLOCK_ERROR);
  expect(Number(time?.[1])).toBeLessThan(Date.now() + CLOCK_ERROR);
  return values;
}

/** In ms. */
const CLOCK_ERROR = 50;

/** Numbers of too few bits to differ always. */
const SHORT = ['stack', 'map', 'heap', 'port', 'sequence'];

test('machines from one state share no random byte, and know the time', {
  timeout: MACHINES * 10_000,
}, async () => {
  const seen = new Map<string, Set<string>>();
  for (let i = 0; i < MACHINES; i++)
    for (const [name, value] of await sample(saved)) seen.set(name, (seen.get(name) ?? new Set()).add(value));
  expect(seen.size).toBe(11);
  for (const [name, { size }] of seen) {
    if (SHORT.includes(name)) expect([name, size > 1]).toEqual([name, true]);
    else expect([name, size]).toEqual([name, MACHINES]);
  }
});

test('the first container takes what was made before the state was saved', async () => {
  const [first = 0, second = 0] = await withMachine(saved, async (machine) => {
    const counts = [];
    for (let i = 0; i < 2; i++) {
      const before = machine.stats().instructions[0] ?? 0;
      await run(machine, 'true');
      counts.push((machine.stats().instructions[0] ?? 0) - before);
    }
    return counts;
  });
  expect(first).toBeGreaterThan(0);
  expect(second / first).toBeGreaterThan(1.25);
});

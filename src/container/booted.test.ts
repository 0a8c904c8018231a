import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { deferred } from '../machine/deferred.ts';
import { MachineError } from '../machine/errors.ts';
import { Machine } from '../machine/machine.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { buildOf } from '../snapshot/versions.ts';
import { BOOTED, isUsual, openBooted, placeBooted } from './booted.ts';
import { bootImage, type ImageMachineOptions } from './image-machine.ts';

const PUBLIC = new URL('../../public/', import.meta.url).pathname;
const platform = nodePlatform(PUBLIC);
const emulator = await platform.loadEmulator();
const file = await platform.loadFile(BOOTED);
const RESTORES = process.env.LONG_TESTS ? 1000 : 4;
const TIMEOUT = process.env.LONG_TESTS ? 3_600_000 : 120_000;

const OPTIONS: Omit<ImageMachineOptions, 'image' | 'platform'> = {
  store: '',
  cpus: 1,
  memoryBytes: 512 << 20,
  diskBytes: 2 ** 30,
  network: { relay: { kind: 'off', reason: 'of the test' } },
};
const DISKS = [
  { kind: 'image', store: '' },
  { kind: 'scratch', sizeBytes: 3 * 2 ** 30 },
  { kind: 'emulator' },
] as const;

async function run(machine: Machine, script: string): Promise<string> {
  const { stdin, stdout, stderr, exit } = machine.run({ args: ['/bin/busybox', 'sh', '-c', script] });
  await stdin.close();
  const [output, problems] = await Promise.all([text(stdout), text(stderr)]);
  expect([await exit, problems]).toEqual([0, '']);
  return output;
}

/** Runs a script in a machine that goes on from the saved one. */
async function restored(script: string, isPlaced = false): Promise<string> {
  const opened = await openBooted(file, emulator);
  const booted = isPlaced ? await placeBooted(opened) : opened;
  const machine = await Machine.start(platform, {
    emulator,
    ...booted,
    disks: DISKS,
    network: OPTIONS.network,
  });
  try {
    return await run(machine, script);
  } finally {
    await machine.stop();
  }
}

describe('the saved machine', () => {
  it(
    'goes on with the time and the disks of now',
    async () => {
      const [time, sectors, uptime] = (
        await restored('date +%s; cat /sys/block/vdb/size; cat /proc/uptime')
      ).split('\n');
      expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(5);
      expect(Number(sectors)).toBe((3 * 2 ** 30) / 512);
      expect(Number(uptime?.split(' ')[0])).toBeGreaterThan(0);
    },
    TIMEOUT,
  );

  it(
    'shares nothing random with others',
    async () => {
      const script =
        'cd /proc/sys/kernel/random; cat boot_id uuid uuid; head -c 32 /dev/urandom | od -An -tx8; mktemp -u';
      const seen = new Map<string, number>();
      for (let times = 0; times < RESTORES; times++) {
        const words = (await restored(script, times % 2 === 0)).trim().split(/\s+/);
        expect(words).toHaveLength(8);
        for (const word of words) seen.set(word, (seen.get(word) ?? 0) + 1);
      }
      expect([...seen].filter(([, count]) => count > 1)).toEqual([]);
    },
    TIMEOUT,
  );

  it('is of one CPU, 512 MiB and a network of ours', () => {
    expect(isUsual(OPTIONS)).toBe(true);
    expect(isUsual({ ...OPTIONS, network: {} })).toBe(true);
    for (const other of [
      { cpus: 2 },
      { memoryBytes: 256 << 20 },
      { network: undefined },
      { network: { relay: { kind: 'foreign', url: 'wss://relay.test' } as const } },
    ])
      expect(isUsual({ ...OPTIONS, ...other })).toBe(false);
  });

  it('belongs to its core', async () => {
    expect(buildOf(emulator)).toMatch(/^[0-9a-f]{64}$/);
    const other = await WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    expect(buildOf(other)).toBe('');
    await expect(openBooted(file, other)).rejects.toThrow(MachineError);
  });
});

/** Starts a machine for an image, and returns how many instructions it had run when it was up. */
async function instructionsAtStart(booted: Uint8Array<ArrayBuffer> | undefined): Promise<number> {
  const loadFile = async (path: string) => {
    if (path !== BOOTED) return platform.loadFile(path);
    if (!booted) throw new MachineError('it is missing');
    return booted;
  };
  const done = new Error('the test is done');
  const { promise: image, reject } = deferred<never>();
  let seen = 0;
  const onBoot = ({ instructions }: { instructions: number }) => {
    seen = instructions;
    reject(done);
  };
  const starting = bootImage({ ...OPTIONS, image, onBoot, platform: { ...platform, loadFile } });
  await expect(starting).rejects.toBe(done);
  return seen;
}

describe('a machine of that kind', () => {
  it.each([
    ['missing', undefined],
    ['empty', new Uint8Array(0)],
    ['cut off', file.slice(0, -1)],
    ['damaged', Uint8Array.from(file, (byte, at) => (at === file.length >> 1 ? byte ^ 1 : byte))],
  ])(
    'boots if the saved one is %s',
    async (_, booted) => {
      expect(await instructionsAtStart(booted)).toBeLessThan(await instructionsAtStart(file));
    },
    TIMEOUT,
  );
});

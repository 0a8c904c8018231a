/** Machines that start from damaged states: they are refused, or run and can be stopped. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { StateError } from './errors.ts';
import { Machine, type MachineState, type Plain } from './machine.ts';
import { nodePlatform } from './platform/node.ts';

const RUNS = process.env.LONG_TESTS ? 2000 : 15;
const TIMEOUT = process.env.LONG_TESTS ? 3_600_000 : 60_000;
/** For how long a machine runs that was not refused, in ms. */
const A_WHILE = 20;

const platform = nodePlatform(join(import.meta.dirname, '../../public'));
let emulator: WebAssembly.Module;
let state: MachineState;
let ram: Uint8Array;

beforeAll(async () => {
  emulator = await platform.loadEmulator();
  const [kernel, initrd] = await Promise.all(['Image', 'initramfs.cpio'].map((name) => load(name)));
  const machine = await Machine.start(platform, {
    ...{ emulator, kernel: kernel as Uint8Array, initrd, commandLine: 'quiet' },
    ...{ cpus: 1, memoryBytes: 64 << 20, disks: [{ kind: 'scratch', sizeBytes: 1 << 20 }] },
  });
  expect(await machine.run({ args: ['nothing'] }).exit).toBe(127);
  const suspended = await machine.suspend();
  state = structuredClone(suspended.state);
  ram = suspended.ram.slice();
  await machine.stop();
});

const load = (name: string) => platform.loadFile(`kernel/${name}`);

/** Where a value is in a state: a choice at each level. */
type Path = readonly number[];

/** The state with one value replaced, or with a byte of it if it is bytes. */
function replaceAt(value: Plain, path: Path, by: Plain): Plain {
  if (value instanceof Uint8Array && value.length > 0) {
    const bytes = value.slice();
    bytes[(path[0] ?? 0) % bytes.length] = typeof by === 'number' ? by : 0xff;
    return bytes;
  }
  const [choice, ...rest] = path;
  if (typeof value !== 'object' || value === null || choice === undefined) return by;
  const entries = Object.entries(value);
  const index = choice % (entries.length || 1);
  const changed = entries.map(([name, item], at) =>
    at === index ? ([name, replaceAt(item, rest, by)] as const) : ([name, item] as const),
  );
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
}

const nastyValue: fc.Arbitrary<Plain> = fc.oneof(
  fc.constantFrom<Plain>(null, true, -1, 0, 1, 0xffff, 2 ** 32, 2 ** 53, Number.NaN, 0.5, '', 'running'),
  fc.constantFrom<Plain>([], {}, new Uint8Array(3)),
  fc.nat(),
);

test('a damaged state is refused, or runs', { timeout: TIMEOUT }, async () => {
  const damage = fc.tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), nastyValue);
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
      const damaged = damages.reduce<Plain>((value, [path, by]) => replaceAt(value, path, by), {
        ...state,
      } as unknown as Plain) as unknown as MachineState;
      const start = Machine.start(platform, {
        ...{ emulator, state: damaged, disks: [{ kind: 'scratch', sizeBytes: 1 << 20 }] },
        fillRam: (empty) => empty.set(ram.subarray(0, empty.length)),
      });
      const machine = await start.catch((error) => {
        if (error instanceof StateError) return undefined;
        throw error;
      });
      if (!machine) return;
      await Promise.race([machine.exit, delay(A_WHILE)]);
      await machine.stop();
      await machine.exit;
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});

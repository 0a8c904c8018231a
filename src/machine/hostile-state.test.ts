/** Machines that start from damaged states: they are refused, or run and can be stopped. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { MachineError } from './errors.ts';
import { Machine, type MachineState, type Plain } from './machine.ts';
import { nodePlatform } from './platform/node.ts';
import { anyDamage } from './testing/damage.ts';

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

test('a damaged state is refused, or runs', { timeout: TIMEOUT }, async () => {
  await fc.assert(
    fc.asyncProperty(anyDamage(3), async (damage) => {
      const damaged = damage({ ...state } as unknown as Plain) as unknown as MachineState;
      const start = Machine.start(platform, {
        ...{ emulator, state: damaged, disks: [{ kind: 'scratch', sizeBytes: 1 << 20 }] },
        fillRam: (empty) => empty.set(ram.subarray(0, empty.length)),
      });
      const machine = await start.catch((error) => {
        if (error instanceof MachineError) return undefined;
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

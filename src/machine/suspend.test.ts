import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Machine, type MachineState } from './machine.ts';
import { nodePlatform } from './platform/node.ts';
import * as programs from './testing/programs.ts';

const MIB = 2 ** 20;
const platform = nodePlatform(join(import.meta.dirname, '../../public'));
let emulator: WebAssembly.Module;
const machines: Machine[] = [];

beforeAll(async () => {
  emulator = await platform.loadEmulator();
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.stop();
});

async function start(options: Parameters<typeof Machine.start>[1]): Promise<Machine> {
  const machine = await Machine.start(platform, options);
  machines.push(machine);
  return machine;
}

/** Suspends a machine, stops it, and starts another one from its state. */
async function replace(machine: Machine, onConsole: (bytes: Uint8Array) => void): Promise<Machine> {
  const suspended = await machine.suspend();
  const [ram, state] = [suspended.ram.slice(), structuredClone(suspended.state)];
  await machine.stop();
  return start({ emulator, state, onConsole, fillRam: (empty) => empty.set(ram) });
}

describe('a bare-metal machine', () => {
  test('goes on in another machine', async () => {
    let text = '';
    const onConsole = (bytes: Uint8Array) => {
      text += Buffer.from(bytes).toString();
    };
    const options = { emulator, cpus: 2, memoryBytes: 64 * MIB, elf: programs.echo };
    let machine = await start({ ...options, onConsole });
    for (const word of ['one ', 'two ', 'three\n']) {
      await machine.write(Buffer.from(word));
      while (!text.endsWith(word)) await delay(5);
      machine = await replace(machine, onConsole);
    }
    expect(text).toBe('one two three\n');
  });

  test('refuses a state that no machine can be in', async () => {
    const machine = await start({ emulator, cpus: 1, memoryBytes: 64 * MIB, elf: programs.endless });
    const { state } = await machine.suspend();
    const refused = (changes: Partial<MachineState>) =>
      expect(start({ emulator, state: { ...state, ...changes }, fillRam: () => {} })).rejects.toThrow(
        /^this saved session is damaged: /,
      );
    await refused({ hartBlocks: [] });
    await refused({ harts: 9 });
    await refused({ ramBytes: 2 ** 40 });
    await refused({ machineBlock: new Uint8Array(5) });
    const block = state.hartBlocks[0]?.slice() as Uint8Array;
    block[0] = 1;
    await refused({ hartBlocks: [block] });
    const fillRam = () => Promise.reject(new Error('the file has ended'));
    await expect(start({ emulator, state, fillRam })).rejects.toThrow('the file has ended');
  });
});

describe('a suspension', () => {
  const options = { cpus: 2, memoryBytes: 64 * MIB };

  test('ends once, and stops nothing for good', async () => {
    const machine = await start({ emulator, ...options, elf: programs.endless });
    const suspended = await machine.suspend();
    await expect(machine.suspend()).rejects.toThrow('the machine is suspended already');
    const before = machine.stats().instructions;
    await delay(20);
    expect(machine.stats().instructions).toEqual(before);
    await suspended.resume();
    await expect.poll(() => machine.stats().instructions[0]).toBeGreaterThan(before[0] as number);
    await expect(suspended.resume()).rejects.toThrow('the machine is not suspended');
  });

  test('is refused where it would change the run', async () => {
    const reason = 'a traced or reproducible machine cannot be suspended';
    const counted = await start({ emulator, ...options, elf: programs.endless, icount: true });
    await expect(counted.suspend()).rejects.toThrow(reason);
    const traced = await start({ emulator, ...options, elf: programs.endless, onTrace: () => {} });
    await expect(traced.suspend()).rejects.toThrow(reason);
  });

  test('fails when the machine ends, and a suspended machine can be stopped', async () => {
    const ended = await start({ emulator, ...options, elf: programs.htif(1) });
    await ended.exit;
    await expect(ended.suspend()).rejects.toThrow('the guest has powered off');
    const machine = await start({ emulator, ...options, elf: programs.endless });
    const { ram } = await machine.suspend();
    await machine.stop();
    expect(await machine.exit).toMatchObject({ reason: 'stop' });
    // Whoever saves may still be reading.
    expect(ram).toHaveLength(64 * MIB);
  });

  // The time limit takes 5 s.
  test.runIf(process.env.LONG_TESTS)('is given up while output waits for its reader', async () => {
    let accept = () => {};
    const onConsole = () =>
      new Promise<void>((resolve) => {
        accept = resolve;
      });
    const machine = await start({ emulator, ...options, elf: programs.flood, onConsole });
    await delay(500);
    await expect(machine.suspend()).rejects.toThrow('its output waits for a reader');
    const before = machine.stats().instructions;
    for (let count = 0; count < 20; count++) {
      accept();
      await delay(10);
    }
    expect(machine.stats().instructions).not.toEqual(before);
  });
});

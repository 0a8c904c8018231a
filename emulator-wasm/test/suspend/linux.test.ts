/** The clocks and timers of a Linux that is suspended, and goes on in other machines. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine } from '../../../src/machine/machine.ts';
import { archiveOf, initramfsWithPrograms, pathInGuest, platform } from '../linux/programs.ts';
import { Random } from '../support/random.ts';
import { Disturbance } from './disturbance.ts';

const CLOCKS = 'clocks.c';
/** These check themselves. */
const PROGRAMS = ['threads.c', 'processes.c', 'code.c', 'floating.c'];
/** How long a machine is suspended, in ms. */
const AWAY = 2100;
/** By how much a clock may be wrong, in ms. */
const TOLERANCE = 50;
const ROUNDS = process.env.LONG_TESTS ? 300 : 10;
const TIMEOUT = process.env.LONG_TESTS ? 600_000 : 60_000;

let machine: Machine;
let output = '';

const onConsole = (bytes: Uint8Array) => {
  output += Buffer.from(bytes).toString();
};

async function boot(cpus: number): Promise<void> {
  const [emulator, kernel, base, clocks] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    initramfsWithPrograms(PROGRAMS),
    archiveOf([CLOCKS], import.meta.dirname),
  ]);
  const initrd = Buffer.concat([base, clocks]);
  const size = { cpus, memoryBytes: 128 << 20 };
  const options = { emulator, kernel, initrd, commandLine: 'quiet', onConsole };
  machine = await Machine.start(platform, { ...options, ...size });
}

/** @returns the RAM of the new machine at its start */
async function replace(): Promise<Uint8Array> {
  const { state, ram } = await machine.suspend();
  const kept = { state: structuredClone(state), ram: ram.slice() };
  await machine.stop();
  await delay(AWAY);
  const emulator = await platform.loadEmulator();
  const fillRam = (empty: Uint8Array) => empty.set(kept.ram);
  machine = await Machine.start(platform, { emulator, state: kept.state, onConsole, fillRam });
  // PID 1 takes this request only when it has set the clock.
  expect(await machine.run({ args: ['nothing'] }).exit).toBe(127);
  return kept.ram;
}

/** All in milliseconds; `sent` and `received` are the host's dates. */
async function ask() {
  output = '';
  const sent = Date.now();
  await machine.write(Buffer.from('?\n'));
  await expect.poll(() => output).toContain(';');
  const received = Date.now();
  const value = (name: string) => Number(new RegExp(`${name} (-?\\d+)`).exec(output)?.[1]);
  const ms = (name: string) => value(name) / 1e6;
  return {
    ...{ sent, received, date: ms('date'), monotonic: ms('monotonic'), late: ms('late') },
    ...{ ticks: value('ticks'), least: value('least'), most: value('most') },
  };
}

describe.each([1, 4])('with %i CPUs', { timeout: TIMEOUT }, (cpus) => {
  let ram: Uint8Array;
  beforeAll(() => boot(cpus));
  afterAll(() => machine?.stop());

  test('the date is right after a suspension, and timers go on as if there had been none', async () => {
    machine.runOnConsole({ args: [pathInGuest(CLOCKS)] });
    await expect.poll(() => output).toContain('ready');
    const first = await ask();
    ram = await replace();
    const second = await ask();
    expect(second.date).toBeGreaterThan(second.sent - TOLERANCE);
    expect(second.date).toBeLessThan(second.received + TOLERANCE);
    const ran = second.received - first.sent - AWAY;
    expect(second.monotonic).toBeGreaterThan(first.monotonic);
    expect(second.monotonic - first.monotonic).toBeLessThan(ran + TOLERANCE);
    for (const { ticks, least, most } of [first, second]) {
      // The timer was started a little after the first reading of the clock.
      expect(ticks).toBeGreaterThanOrEqual(least - 1);
      expect(ticks).toBeLessThanOrEqual(most);
    }
    // The alarm's date has passed meanwhile.
    expect(second.late).toBeGreaterThan(0);
    await machine.write(Buffer.from('\x04'));
  });

  test('programs go on over many suspensions', async () => {
    output = '';
    const disturbance = new Disturbance(
      machine,
      { emulator: await platform.loadEmulator(), onConsole },
      new Random(cpus),
      ram,
    );
    let passed = 0;
    const next = () => {
      const program = PROGRAMS[passed % PROGRAMS.length] as string;
      disturbance.machine.runOnConsole({ args: [pathInGuest(program)] });
    };
    next();
    for (let round = 0; round < ROUNDS; round++) {
      expect(await disturbance.next()).toBe(true);
      machine = disturbance.machine;
      const ended = output.split('passed').length - 1;
      if (ended > passed) {
        passed = ended;
        next();
      }
    }
    await expect.poll(() => output.split('passed').length - 1, { timeout: TIMEOUT }).toBe(passed + 1);
    expect(output).not.toMatch(/fail/i);
  });
});

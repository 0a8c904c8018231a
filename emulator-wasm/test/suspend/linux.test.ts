/** The clocks and timers of a Linux that is suspended, and goes on in other machines. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { Machine } from '../../../src/machine/machine.ts';
import { initramfsWithPrograms, pathInGuest, platform } from '../linux/programs.ts';

const PROGRAM = 'clocks.c';
/** How long the machines are suspended, in ms. */
const AWAY = 2100;
/** By how much a clock may be wrong, in ms. */
const TOLERANCE = 50;
const TIMEOUT = 60_000;

let machine: Machine;
let output = '';
afterEach(() => machine?.stop());

const onConsole = (bytes: Uint8Array) => {
  output += Buffer.from(bytes).toString();
};

async function boot(cpus: number): Promise<void> {
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    initramfsWithPrograms([PROGRAM], import.meta.dirname),
  ]);
  const size = { cpus, memoryBytes: 128 << 20 };
  machine = await Machine.start(platform, {
    emulator,
    kernel,
    initrd,
    commandLine: 'quiet',
    onConsole,
    ...size,
  });
}

async function replace(): Promise<void> {
  const { state, ram } = await machine.suspend();
  const kept = { state: structuredClone(state), ram: ram.slice() };
  await machine.stop();
  await delay(AWAY);
  machine = await Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    state: kept.state,
    onConsole,
    fillRam: (empty) => empty.set(kept.ram),
  });
  // PID 1 takes this request only when it has set the clock.
  expect(await machine.run({ args: ['nothing'] }).exit).toBe(127);
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
  test('the date is right after a suspension, and timers go on as if there had been none', async () => {
    await boot(cpus);
    machine.runOnConsole({ args: [pathInGuest(PROGRAM)] });
    await expect.poll(() => output).toContain('ready');
    const first = await ask();
    await replace();
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
  });
});

/**
 * Linux boots twice in lockstep, interpreted and compiled, with time by the instruction count. Timer
 * interrupts come only between quanta, and compiled code ends its quanta at other instructions. The timer is
 * therefore postponed during each stretch, and both machines may take its interrupt at the start of the next
 * stretch.
 */
import { expect, test } from 'vitest';
import { machineDeviceTree } from '../../../src/machine/device-tree.ts';
import { loadLinux } from '../../../src/machine/kernel-image.ts';
import {
  H_COMPILED,
  H_F,
  H_PRIVATE,
  H_SINK,
  H_STIMECMP,
  H_X,
  HARTS,
  ICOUNT_PER_TICK,
  M_TIME_OFFSET,
  MODE_FIRMWARE,
  MODE_ICOUNT,
  MODE_JIT,
  POWER_OFF,
  POWER_RUNNING,
} from '../../layout.ts';
import { Core, coreModule, MachineMemory, PRIV_S } from '../support/core.ts';
import { initramfsWithPrograms, pathInGuest, platform } from './programs.ts';

const RAM_SIZE = 128 << 20;
/**
 * Instructions between comparisons of registers. Linux sets its timer at least 100 ticks ahead, which are
 * more.
 */
const STRETCH = 1200n;
/** The number of stretches between comparisons of all memory. */
const MEMORY_INTERVAL = 10_000;
/** The number of ticks by which the timer is postponed, which is more than a stretch takes. */
const DELAY = 1024n;
/** More than the number of instructions by which a run exceeds its budget. */
const SLACK = 64n;

/** PID 1 powers off if these programs pass, and reboots otherwise. */
const WORK = ['faults.c', ...(process.env.LONG_TESTS ? ['traced.c'] : [])]
  .map((program) => `${pathInGuest(program)} && `)
  .join('');
const COMMAND_LINE = `rdinit=/bin/sh -- -c "${WORK} busybox poweroff -f; busybox reboot -f"`;

/** A machine with one hart and without devices, and so without a console. */
class Subject {
  readonly #machine: MachineMemory;
  readonly #core: Core;
  power = POWER_RUNNING;

  constructor(module: WebAssembly.Module, kernel: Uint8Array, initrd: Uint8Array, mode: number) {
    this.#machine = new MachineMemory(1, RAM_SIZE, MODE_FIRMWARE | MODE_ICOUNT | mode);
    this.#core = new Core(module, this.#machine);
    const boot = loadLinux(this.#machine.ram, kernel, initrd, (range) =>
      machineDeviceTree({
        harts: 1,
        ramSize: RAM_SIZE,
        commandLine: COMMAND_LINE,
        initrd: range,
        rngSeed: new Uint8Array(64),
        virtioSlots: [],
      }),
    );
    this.#core.reset(boot.entry, PRIV_S, BigInt(boot.deviceTree));
  }

  get retired(): bigint {
    return this.#core.instret;
  }

  get compiled(): bigint {
    return this.#word(H_COMPILED);
  }

  get pc(): bigint {
    return this.#core.pc;
  }

  /** Returns registers and CSRs, including time, but without the place of the interpreter's writes to x0. */
  get state(): Buffer {
    const part = (from: number, to: number) =>
      Buffer.from(this.#machine.memory.buffer, HARTS + from, to - from);
    const time = Buffer.from(this.#machine.memory.buffer, M_TIME_OFFSET, 8);
    return Buffer.concat([part(H_X, H_SINK), part(H_F, H_PRIVATE), time]);
  }

  get ram(): Uint8Array {
    return this.#machine.ram;
  }

  /** Runs with the timer postponed, unless its interrupt is due. */
  withoutTimer(work: () => void): void {
    const timer = this.#word(H_STIMECMP);
    const time =
      this.retired / BigInt(ICOUNT_PER_TICK) + this.#machine.view.getBigUint64(M_TIME_OFFSET, true);
    if (time >= timer) {
      work();
      return;
    }
    const later = BigInt.asUintN(64, timer + DELAY) < timer ? timer : timer + DELAY;
    this.#setTimer(later);
    work();
    if (this.#word(H_STIMECMP) === later) this.#setTimer(timer);
  }

  run(instructions: bigint): void {
    this.power = this.#core.run(instructions);
  }

  /** Runs until both machines are at the same instruction. */
  follow(leader: Subject): void {
    for (let left = leader.retired - this.retired; left > SLACK; left = leader.retired - this.retired)
      this.run(left - SLACK);
    while (this.retired < leader.retired || (this.retired === leader.retired && this.pc !== leader.pc))
      this.run(1n);
    this.power = leader.power;
  }

  #word(offset: number): bigint {
    return this.#machine.view.getBigUint64(HARTS + offset, true);
  }

  #setTimer(tick: bigint): void {
    this.#machine.view.setBigUint64(HARTS + H_STIMECMP, tick, true);
  }
}

test('compiled Linux boots and works like interpreted Linux', { timeout: 600_000 }, async () => {
  const module = await coreModule();
  const kernel = await platform.loadFile('kernel/Image');
  const initrd = await initramfsWithPrograms();
  const compiled = new Subject(module, kernel, initrd, MODE_JIT);
  const interpreted = new Subject(module, kernel, initrd, 0);
  for (let stretch = 1; compiled.power === POWER_RUNNING; stretch++) {
    compiled.withoutTimer(() => compiled.run(STRETCH));
    interpreted.withoutTimer(() => interpreted.follow(compiled));
    const place = `after ${compiled.retired} instructions`;
    if (!interpreted.state.equals(compiled.state)) expect(interpreted.state, place).toEqual(compiled.state);
    if (stretch % MEMORY_INTERVAL === 0) expect(Buffer.compare(interpreted.ram, compiled.ram), place).toBe(0);
  }
  expect(compiled.power).toBe(POWER_OFF);
  expect(compiled.compiled).toBeGreaterThan(compiled.retired / 8n);
});

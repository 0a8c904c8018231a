/**
 * Saved states from strangers: whatever the machine block and the hart blocks hold, they are refused, or a
 * hart runs from them, stays in its memory, and comes back. `FUZZ_RUNS` says how many are tried, `FUZZ_SEED`
 * which.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Core } from '../../../src/machine/core.ts';
import { StateError } from '../../../src/machine/errors.ts';
import { Machine, type MachineState } from '../../../src/machine/machine.ts';
import { createMemory, guestRam, pageFlags } from '../../../src/machine/memory.ts';
import { restoreBlocks, savedFirmware, savedPlan } from '../../../src/machine/saved-blocks.ts';
import {
  H_PRIVATE,
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_POWER,
  MACHINE,
  MODE_FIRMWARE,
  PAGE_DIRTY,
  PAGE_STORED,
  PAGE_WRITTEN,
  POWER_RUNNING,
  V_RESET,
  VIRTIO,
  VIRTIO_FILE_SIZE,
  VIRTIO_SLOTS,
} from '../../layout.ts';
import { platform } from '../linux/programs.ts';
import { Random } from '../support/random.ts';
import { compile } from '../support/toolchain.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? (process.env.LONG_TESTS ? 50_000 : 400));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const TIMEOUT = process.env.LONG_TESTS ? 3_600_000 : 60_000;
const RUNTIME = ['common', 'machine'].map((name) => join(import.meta.dirname, '../privileged/runtime', name));
const PAGE = 4096;
const CPUS = 2;
const INSTRUCTIONS = 50_000n;
/** A hart that reads the clock so often sleeps, or waits for something that never comes. */
const READINGS = 300;

/** Thrown by the host in the middle of a hart's sleep. */
class Asleep extends Error {}

interface Saved {
  readonly state: MachineState;
  readonly ram: Uint8Array;
}

async function save(machine: Machine): Promise<Saved> {
  const { state, ram } = await machine.suspend();
  const saved = { state: structuredClone(state), ram: ram.slice() };
  await machine.stop();
  return saved;
}

async function savedProgram(): Promise<Saved> {
  const elf = await readFile(await compile(join(import.meta.dirname, 'work.c'), RUNTIME));
  const emulator = await platform.loadEmulator();
  return save(await Machine.start(platform, { emulator, cpus: CPUS, memoryBytes: 32 << 20, elf }));
}

async function savedLinux(): Promise<Saved> {
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile('kernel/Image-smp'),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  const machine = await Machine.start(platform, {
    ...{ emulator, kernel, initrd, cpus: CPUS, memoryBytes: 64 << 20 },
    commandLine: 'quiet',
  });
  expect(await machine.run({ args: ['nothing'] }).exit).toBe(127);
  return save(machine);
}

/** Runs the first hart of saved machines in this thread. */
class Victim {
  readonly memory: WebAssembly.Memory;
  readonly #saved: Saved;
  readonly #flags: Uint8Array;
  readonly #ram: Uint8Array;
  readonly #words: Int32Array;
  readonly #core: Core;
  #readings = 0;

  constructor(module: WebAssembly.Module, saved: Saved) {
    const plan = savedPlan(saved.state);
    this.memory = createMemory(plan, savedFirmware(saved.state) ? MODE_FIRMWARE : 0);
    this.#saved = saved;
    this.#flags = pageFlags(this.memory, plan).fill(PAGE_DIRTY);
    this.#ram = guestRam(this.memory, plan);
    this.#words = new Int32Array(this.memory.buffer);
    const host = {
      now: () => this.#readClock(),
      wallClock: () => 1e18,
      output: () => {},
      doorbell: () => {
        for (let slot = 0; slot < VIRTIO_SLOTS; slot++)
          this.#words[(VIRTIO + slot * VIRTIO_FILE_SIZE + V_RESET) >>> 2] = 0;
      },
      hot: () => {},
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory }, host });
    this.#core = exports as unknown as Core;
  }

  /** @throws StateError */
  run(state: MachineState, slots: number): void {
    this.#restoreRam();
    new Uint8Array(this.memory.buffer, MACHINE + 0x400, 0xfc00).fill(0);
    new Uint8Array(this.memory.buffer, HARTS, H_PRIVATE).fill(0);
    this.#words[M_POWER >>> 2] = POWER_RUNNING;
    restoreBlocks(this.memory, savedPlan(state), slots, state);
    this.#core.resume(0);
    this.#readings = 0;
    try {
      this.#core.run(0, INSTRUCTIONS);
    } catch (error) {
      if (!(error instanceof Asleep)) throw error;
    }
  }

  /** Whether everything that no hart may write is untouched. */
  get isIntact(): boolean {
    const other = HARTS + HART_STRIDE + H_PRIVATE;
    const isZero = (start: number, end: number) =>
      new BigUint64Array(this.memory.buffer, start, (end - start) / 8).every((word) => word === 0n);
    const bits = PAGE_WRITTEN | PAGE_STORED | PAGE_DIRTY;
    return (
      isZero(0, MACHINE) &&
      isZero(other, other + HART_STRIDE - H_PRIVATE) &&
      this.#flags.every((flags) => (flags & ~bits) === 0)
    );
  }

  #restoreRam(): void {
    for (const [page, flags] of this.#flags.entries()) {
      if (flags & PAGE_DIRTY)
        this.#ram.set(this.#saved.ram.subarray(page * PAGE, (page + 1) * PAGE), page * PAGE);
    }
    this.#flags.fill(0);
  }

  /** Nobody else wakes the hart: changes its mailbox, so that it never really sleeps. */
  #readClock(): number {
    if (++this.#readings > READINGS) throw new Asleep();
    for (let hart = 0; hart < CPUS; hart++)
      Atomics.add(this.#words, (HARTS + hart * HART_STRIDE + H_WAKE) >>> 2, 1);
    return this.#readings * 1000;
  }
}

const ALL = 2n ** 64n - 1n;

/** A value that has often been wrong. */
function nastyWord(random: Random, ramBytes: number): bigint {
  const near = random.pick([0, 0x8000_0000, 0x8000_0000 + ramBytes, 2 ** 31, 2 ** 32, HARTS, MACHINE]);
  return (
    random.pick([0n, ALL, 1n << 63n, random.u64(), BigInt(near) + BigInt(random.between(-16, 16))]) & ALL
  );
}

/** Changes some words of a block, each as a whole or in one bit. */
function damage(random: Random, block: Uint8Array, ramBytes: number): Uint8Array {
  const words = new BigUint64Array(block.slice().buffer);
  for (let count = random.between(1, 4); count > 0; count--) {
    // Most words of the machine block are zero in every state.
    const used = [...words.keys()].filter((index) => words[index] !== 0n);
    const at = random.pick([...(used.length > 0 ? [random.pick(used)] : []), random.below(words.length)]);
    const value = random.chance(0.5) ? (words[at] as bigint) ^ (1n << BigInt(random.below(64))) : undefined;
    words[at] = value ?? nastyWord(random, ramBytes);
  }
  return new Uint8Array(words.buffer);
}

function damageState(random: Random, state: MachineState): MachineState {
  const { ramBytes } = state;
  const hartBlocks = state.hartBlocks.map((block) =>
    random.chance(0.7) ? damage(random, block, ramBytes) : block,
  );
  const machineBlock = random.chance(0.4) ? damage(random, state.machineBlock, ramBytes) : state.machineBlock;
  return { ...state, hartBlocks, machineBlock };
}

describe.each([
  ['a bare-metal program', savedProgram],
  ['Linux', savedLinux],
] as const)('damaged states of %s', (_, prepare) => {
  let victim: Victim | undefined;
  afterAll(() => {
    victim = undefined;
  });

  test('are refused, or run within their memory', { timeout: TIMEOUT }, async () => {
    const saved = await prepare();
    const slots = saved.state.devices.length;
    victim = new Victim(await platform.loadEmulator(), saved);
    victim.run(saved.state, slots);
    const random = new Random(SEED);
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      try {
        victim.run(damageState(random, saved.state), slots);
      } catch (error) {
        if (!(error instanceof StateError)) throw new Error(`in run ${run}`, { cause: error });
        refused++;
      }
    }
    expect(victim.isIntact).toBe(true);
    // Both happen.
    expect(refused).toBeGreaterThan(RUNS / 10);
    expect(refused).toBeLessThan((RUNS * 9) / 10);
  });
});

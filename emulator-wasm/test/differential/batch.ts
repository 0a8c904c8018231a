/**
 * Many random programs in one image. The same bytes run as a Linux executable under QEMU's user mode, and on
 * the core without an operating system. Both leave their results in one region of memory.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  H_MCAUSE,
  H_MEPC,
  H_MTVAL,
  HARTS,
  M_CREDIT,
  M_MODE,
  MODE_ICOUNT,
  POWER_OFF,
  POWER_RUNNING,
  RAM_START,
} from '../../layout.ts';
import { type Core, clearDevices, type MachineMemory, PRIV_M } from '../support/core.ts';
import { writeElf } from '../support/elf.ts';
import { qemuRva23, qemuUser } from '../support/qemu.ts';
import { Random } from '../support/random.ts';
import { withTemporaryDirectory } from '../support/toolchain.ts';
import { Assembler, type Label } from './assembler.ts';
import { CODE_START, DATA, DATA_ENTRIES, DATA_PAGES, DATA_PERIOD, DATA_SKIPS, firmware } from './firmware.ts';
import { type Group, generate, POOL_BYTES, type Program, RVA23_GROUPS, SCRATCH_BYTES } from './program.ts';
import { type Areas, type Layout, ROUNDS_BYTES, render } from './render.ts';
import { TRAPS } from './roles.ts';

const PAGE = 0x1000;

export interface Identity {
  readonly seed: number;
  readonly group: Group;
  readonly index: number;
}

export interface Placed extends Identity {
  readonly program: Program;
  readonly layout: Layout;
  readonly scratch: number;
  readonly trace: number;
  /** See Areas. */
  readonly rounds: number;
}

export interface Batch {
  readonly programs: readonly Placed[];
  /** How often each program runs. */
  readonly rounds: number;
  /** The bytes from RAM_START on. */
  readonly image: Uint8Array;
  /** The address of the results, which end with the image. */
  readonly results: number;
}

const WRITE = 64;
const EXIT = 93;
const A0 = 10;
const A1 = 11;
const A2 = 12;
const A7 = 17;

function epilogue(assembler: Assembler, results: Label, end: Label): void {
  assembler.emit('addi', { rd: A0, rs1: 0, imm: 1 });
  assembler.relative('addi', { rd: A1 }, A1, results);
  assembler.relative('addi', { rd: A2 }, A2, end);
  assembler.emit('sub', { rd: A2, rs1: A2, rs2: A1 });
  assembler.emit('addi', { rd: A7, rs1: 0, imm: WRITE });
  assembler.emit('ecall', {});
  assembler.emit('addi', { rd: A0, rs1: 0, imm: 0 });
  assembler.emit('addi', { rd: A7, rs1: 0, imm: EXIT });
  assembler.emit('ecall', {});
}

const SIGALTSTACK = 132;
const SIGACTION = 134;
const SIGRETURN = 139;
const SIGILL = 4;
const SIGINFO_ONSTACK_NODEFER = 0x4800_0004;
/** The stack of signals, and the structures for the system calls after it. */
const SIGNAL_BYTES = 3 * PAGE;
const SIGNAL_STACK = 2 * PAGE;
/** The offset of the program counter in what a signal handler gets, before x1 to x31. */
const CONTEXT_PC = 176;

/** Lets a Linux process skip illegal instructions and count them, as the firmware does. */
function skipIllegal(assembler: Assembler, area: Label): void {
  const [handler, start]: Label[] = [{}, {}];
  assembler.jump('jal', { rd: 0 }, start as Label);
  assembler.place(handler as Label);
  for (const [offset, step] of [
    [CONTEXT_PC, 4],
    [CONTEXT_PC + 8 * TRAPS, 1],
  ] as const) {
    assembler.emit('ld', { rd: A0, rs1: A2, imm: offset });
    assembler.emit('addi', { rd: A0, rs1: A0, imm: step });
    assembler.emit('sd', { rs1: A2, rs2: A0, imm: offset });
  }
  assembler.emit('addi', { rd: A7, rs1: 0, imm: SIGRETURN });
  assembler.emit('ecall', {});
  assembler.place(start as Label);
  const call = (number: number) => {
    assembler.emit('addi', { rd: A7, rs1: 0, imm: number });
    assembler.emit('ecall', {});
  };
  // stack_t: address, flags, size.
  assembler.relative('addi', { rd: A1 }, A1, area);
  assembler.relative('addi', { rd: A0 }, A0, area, SIGNAL_STACK);
  assembler.emit('sd', { rs1: A0, rs2: A1, imm: 0 });
  assembler.constant(A2, SIGNAL_STACK);
  assembler.emit('sd', { rs1: A0, rs2: A2, imm: 16 });
  assembler.emit('addi', { rd: A1, rs1: 0, imm: 0 });
  call(SIGALTSTACK);
  // sigaction: handler, flags, mask.
  assembler.relative('addi', { rd: A1 }, A1, area, SIGNAL_STACK + 64);
  assembler.relative('addi', { rd: A0 }, A0, handler as Label);
  assembler.emit('sd', { rs1: A1, rs2: A0, imm: 0 });
  assembler.constant(A0, SIGINFO_ONSTACK_NODEFER);
  assembler.emit('sd', { rs1: A1, rs2: A0, imm: 8 });
  assembler.emit('addi', { rd: A0, rs1: 0, imm: SIGILL });
  assembler.emit('addi', { rd: A2, rs1: 0, imm: 0 });
  assembler.emit('addi', { rd: 13, rs1: 0, imm: 8 });
  call(SIGACTION);
}

/** Lays out programs that run `rounds` times, with a checkpoint every `interval` atoms. */
export function buildBatch(identities: readonly Identity[], interval: number, rounds = 1): Batch {
  const assembler = new Assembler(CODE_START);
  const signals: Label = {};
  const skips = identities.some(({ group }) => group === 'V');
  if (skips) skipIllegal(assembler, signals);
  const rendered = identities.map((identity) => {
    const program = generate(identity.seed, identity.group, identity.index);
    const areas: Areas = { pool: {}, scratch: {}, trace: {}, rounds: {} };
    return { identity, program, areas, layout: render(assembler, program, interval, areas, rounds) };
  });
  const results: Label = {};
  const end: Label = {};
  epilogue(assembler, results, end);

  let free = Math.ceil(assembler.pc / PAGE) * PAGE;
  const reserve = (label: Label, bytes: number) => {
    label.address = free;
    free += bytes;
    return label.address;
  };
  if (skips) reserve(signals, SIGNAL_BYTES);
  for (const { areas } of rendered) reserve(areas.pool, POOL_BYTES);
  results.address = free;
  const programs = rendered.map(({ identity, program, areas, layout }) => ({
    ...identity,
    program,
    layout,
    scratch: reserve(areas.scratch, SCRATCH_BYTES),
    rounds: reserve(areas.rounds, ROUNDS_BYTES),
    trace: reserve(areas.trace, Math.ceil((layout.traceBytes + ROUNDS_BYTES) / PAGE) * PAGE - ROUNDS_BYTES),
  }));
  end.address = free;

  const image = new Uint8Array(free - RAM_START);
  image.set(firmware());
  image.set(assembler.bytes(), PAGE);
  for (const { program, areas } of rendered) {
    image.set(words(program.pool), (areas.pool.address as number) - RAM_START);
    image.set(words(program.scratch), (areas.scratch.address as number) - RAM_START);
  }
  return { programs, rounds, image, results: results.address };
}

function words(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

/** Returns the results under QEMU. Rejects if the executable fails. */
export async function runOnQemu(batch: Batch): Promise<Uint8Array> {
  return withTemporaryDirectory(async (directory) => {
    const path = join(directory, 'batch.elf');
    await writeFile(path, writeElf(batch.image, RAM_START, CODE_START), { mode: 0o755 });
    const rva23 = batch.programs.some(({ group }) => RVA23_GROUPS.has(group));
    const milliseconds = 60_000 + 2_000 * batch.rounds;
    const { status, output, errors } = await (rva23 ? qemuRva23 : qemuUser)(path, milliseconds);
    if (status !== 0) throw new Error(`qemu-riscv64 ended with status ${status}: ${errors}`);
    return output;
  });
}

/** The way in which the core runs a batch. */
export interface CoreMode {
  readonly name: string;
  /** U-mode on scattered pages; otherwise M-mode on physical addresses. */
  readonly paged: boolean;
  /** Only a few pages are present at a time. */
  readonly thrashing: boolean;
  /** Ticks between timer interrupts, 0 for none. */
  readonly period: number;
  /** Instructions per call of `run`; Infinity to run to the end. */
  readonly stride: number;
}

/** More instructions than a program takes for a round, with its page faults. A runaway core stops there. */
const LIMIT = 1_000_000;

/** What is hot is compiled at once, whether it repays that or not. */
const ENDLESS_CREDIT = 1n << 50n;

export class CoreFailure extends Error {}

/**
 * Returns the results on the core. Throws CoreFailure if the core does not reach the end.
 * @param before is called with the program counter before each stride
 */
export function runOnCore(
  core: Core,
  batch: Batch,
  mode: CoreMode,
  before: (pc: number) => void = () => {},
): { results: Uint8Array; instret: bigint } {
  const { machine } = core;
  clearDevices(machine);
  const frames = mode.paged ? scatter(batch) : undefined;
  const size = batch.image.length;
  for (let page = 0; page < size / PAGE; page++) {
    const bytes = batch.image.subarray(page * PAGE, (page + 1) * PAGE);
    machine.load(RAM_START + PAGE * (frames?.[page] ?? page), bytes);
  }
  const satp = frames ? mapPages(machine, frames, mode.thrashing) : 0n;
  const { view } = machine;
  view.setUint32(M_MODE, mode.period > 0 ? MODE_ICOUNT : 0, true);
  machine.write(DATA + DATA_PERIOD, BigInt(mode.period));
  machine.write(DATA + DATA_SKIPS, batch.programs.some(({ group }) => group === 'V') ? 1n : 0n);
  core.reset(RAM_START, PRIV_M, satp);
  drive(core, mode.stride, LIMIT * batch.programs.length * batch.rounds, before);

  const results = new Uint8Array(size - (batch.results - RAM_START));
  const first = (batch.results - RAM_START) / PAGE;
  for (let page = 0; page * PAGE < results.length; page++) {
    const frame = (frames?.[first + page] ?? first + page) * PAGE;
    results.set(machine.ram.subarray(frame, frame + PAGE), page * PAGE);
  }
  return { results, instret: core.instret };
}

function drive(core: Core, stride: number, limit: number, before: (pc: number) => void): void {
  let power = POWER_RUNNING;
  const step = BigInt(Math.min(stride, limit));
  for (let run = 0; power === POWER_RUNNING && run < limit / Number(step); run++) {
    before(Number(core.pc));
    core.machine.view.setBigInt64(M_CREDIT, ENDLESS_CREDIT, true);
    power = core.run(step);
  }
  if (power === POWER_OFF) return;
  const { view } = core.machine;
  const csr = (offset: number) => `0x${view.getBigUint64(HARTS + offset, true).toString(16)}`;
  if (power === POWER_RUNNING) {
    throw new CoreFailure(`not at its end after ${core.instret} instructions, pc 0x${core.pc.toString(16)}`);
  }
  throw new CoreFailure(`trap: mepc ${csr(H_MEPC)}, mcause ${csr(H_MCAUSE)}, mtval ${csr(H_MTVAL)}`);
}

/** Returns a frame for each page of the image, in random order except for the firmware's. */
function scatter({ image, programs }: Batch): number[] {
  const random = new Random(programs[0]?.seed ?? 0, programs[0]?.index ?? 0);
  const pages = Array.from({ length: image.length / PAGE - 1 }, (_, i) => i + 1);
  return [0, ...random.shuffle(pages)];
}

/** Writes Sv39 tables at the end of RAM that map the image's addresses to `frames`. Returns satp. */
function mapPages(machine: MachineMemory, frames: readonly number[], thrashing: boolean): bigint {
  const end = RAM_START + machine.ram.length;
  const root = end - PAGE;
  const middle = root - PAGE;
  const leaves = Math.ceil(frames.length / 512);
  const entries = middle - leaves * PAGE;
  machine.load(entries, new Uint8Array(end - entries));
  const pointer = (table: number) => (BigInt(table / PAGE) << 10n) | 1n;
  machine.write(root + 8 * (RAM_START / 2 ** 30), pointer(middle));
  for (let leaf = 0; leaf < leaves; leaf++) machine.write(middle + 8 * leaf, pointer(entries + leaf * PAGE));
  for (const [page, frame] of frames.entries()) {
    // R, W, X, U and V. Every third page leaves A and D to the core.
    const flags = (page % 3 === 0 ? 0x1e : 0xde) | (thrashing ? 0 : 1);
    machine.write(entries + 8 * page, (BigInt(RAM_START / PAGE + frame) << 10n) | BigInt(flags));
  }
  machine.write(DATA + DATA_ENTRIES, BigInt(entries));
  machine.write(DATA + DATA_PAGES, BigInt(frames.length));
  return (8n << 60n) | BigInt(root / PAGE);
}

/**
 * Many random programs in one image: the same bytes run as a Linux executable under QEMU's user mode,
 * and on the core with no operating system. The results of both are the bytes of one region.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { H_MCAUSE, H_MEPC, H_MTVAL, HARTS, POWER_OFF, POWER_RUNNING, RAM_START } from '../../layout.ts';
import { type Core, clearDevices, type MachineMemory, PRIV_M } from '../support/core.ts';
import { writeElf } from '../support/elf.ts';
import { qemuUser } from '../support/qemu.ts';
import { Random } from '../support/random.ts';
import { withTemporaryDirectory } from '../support/toolchain.ts';
import { Assembler, type Label } from './assembler.ts';
import { type Group, generate, POOL_BYTES, type Program, SCRATCH_BYTES } from './program.ts';
import { type Areas, type Layout, render } from './render.ts';

const PAGE = 0x1000;
const CODE_START = RAM_START + PAGE;

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
}

export interface Batch {
  readonly programs: readonly Placed[];
  /** Bytes from RAM_START on. */
  readonly image: Uint8Array;
  /** Where results begin; they end with the image. */
  readonly results: number;
}

const WRITE = 64;
const EXIT = 93;
const T0 = 5;
const T1 = 6;
const A0 = 10;
const A1 = 11;
const A2 = 12;
const A7 = 17;
const CSR = {
  mstatus: 0x300,
  mtvec: 0x305,
  mepc: 0x341,
  mcause: 0x342,
  satp: 0x180,
  pmpcfg0: 0x3a0,
  pmpaddr0: 0x3b0,
};

/**
 * Without an operating system: turns on the FPU, opens physical memory, and starts the programs in M-mode, or
 * if a1 holds a satp value in U-mode. Of Linux's system calls it knows write, which it leaves out, and exit.
 */
function firmware(): Uint8Array {
  const assembler = new Assembler(RAM_START);
  const handler: Label = {};
  const code: Label = { address: CODE_START };
  const write = (csr: number, rs1: number) => assembler.emit('csrrw', { rd: 0, csr, rs1 });
  assembler.relative('addi', { rd: T0 }, T0, handler);
  write(CSR.mtvec, T0);
  assembler.constant(T0, 0x6000);
  assembler.emit('csrrs', { rd: 0, csr: CSR.mstatus, rs1: T0 });
  assembler.constant(T0, 0x1800);
  assembler.emit('csrrc', { rd: 0, csr: CSR.mstatus, rs1: T0 });
  assembler.emit('addi', { rd: T0, rs1: 0, imm: -1 });
  write(CSR.pmpaddr0, T0);
  assembler.emit('addi', { rd: T0, rs1: 0, imm: 0x1f });
  write(CSR.pmpcfg0, T0);
  assembler.relative('addi', { rd: T0 }, T0, code);
  const user: Label = {};
  assembler.jump('bne', { rs1: A1, rs2: 0 }, user);
  assembler.emit('jalr', { rd: 0, rs1: T0, imm: 0 });
  assembler.place(user);
  write(CSR.satp, A1);
  assembler.emit('sfence.vma', { rs1: 0, rs2: 0 });
  write(CSR.mepc, T0);
  assembler.emit('mret', {});

  while (assembler.pc % 4 !== 0) assembler.emit('c.addi', { rd: 0, imm: 0 });
  assembler.place(handler);
  const unexpected: Label = {};
  const exit: Label = {};
  assembler.emit('csrrs', { rd: T0, csr: CSR.mcause, rs1: 0 });
  assembler.emit('andi', { rd: T1, rs1: T0, imm: -4 });
  assembler.emit('addi', { rd: T1, rs1: T1, imm: -8 });
  assembler.jump('bne', { rs1: T1, rs2: 0 }, unexpected); // neither ecall from U nor from M
  assembler.emit('addi', { rd: T1, rs1: 0, imm: EXIT });
  assembler.jump('beq', { rs1: A7, rs2: T1 }, exit);
  assembler.emit('csrrs', { rd: T1, csr: CSR.mepc, rs1: 0 });
  assembler.emit('addi', { rd: T1, rs1: T1, imm: 4 });
  write(CSR.mepc, T1);
  assembler.emit('mret', {});
  assembler.place(unexpected);
  finish(assembler, 0x1_3333);
  assembler.place(exit);
  finish(assembler, 0x5555);
  return assembler.bytes();
}

function finish(assembler: Assembler, value: number): void {
  const spin: Label = {};
  assembler.constant(T0, 0x10_0000);
  assembler.constant(T1, value);
  assembler.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
  assembler.jump('jal', { rd: 0 }, assembler.place(spin));
}

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

/** Lays out programs with a checkpoint every `interval` atoms. */
export function buildBatch(identities: readonly Identity[], interval: number): Batch {
  const assembler = new Assembler(CODE_START);
  const rendered = identities.map((identity) => {
    const program = generate(identity.seed, identity.group, identity.index);
    const areas: Areas = { pool: {}, scratch: {}, trace: {} };
    return { identity, program, areas, layout: render(assembler, program, interval, areas) };
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
  for (const { areas } of rendered) reserve(areas.pool, POOL_BYTES);
  results.address = free;
  const programs = rendered.map(({ identity, program, areas, layout }) => ({
    ...identity,
    program,
    layout,
    scratch: reserve(areas.scratch, SCRATCH_BYTES),
    trace: reserve(areas.trace, Math.ceil(layout.traceBytes / PAGE) * PAGE),
  }));
  end.address = free;

  const image = new Uint8Array(free - RAM_START);
  image.set(firmware());
  image.set(assembler.bytes(), PAGE);
  for (const { program, areas } of rendered) {
    image.set(words(program.pool), (areas.pool.address as number) - RAM_START);
    image.set(words(program.scratch), (areas.scratch.address as number) - RAM_START);
  }
  return { programs, image, results: results.address };
}

function words(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

/** The results under QEMU. Rejects if the executable fails. */
export async function runOnQemu(batch: Batch): Promise<Uint8Array> {
  return withTemporaryDirectory(async (directory) => {
    const path = join(directory, 'batch.elf');
    await writeFile(path, writeElf(batch.image, RAM_START, CODE_START), { mode: 0o755 });
    const { status, output, errors } = await qemuUser(path);
    if (status !== 0) throw new Error(`qemu-riscv64 ended with status ${status}: ${errors}`);
    return output;
  });
}

/** How the core runs a batch: M-mode on physical addresses, or U-mode on scattered pages; in what strides. */
export interface CoreMode {
  readonly paged: boolean;
  /** Instructions a call of `run`; Infinity for as many as it takes. */
  readonly stride: number;
}

/** More than any program executes: a core gone astray stops here. */
const LIMIT = 200_000;

export class CoreFailure extends Error {}

/** The results on the core. Throws CoreFailure if it does not come to the end. */
export function runOnCore(
  core: Core,
  batch: Batch,
  mode: CoreMode,
): { results: Uint8Array; instret: bigint } {
  const { machine } = core;
  clearDevices(machine);
  const frames = mode.paged ? scatter(batch) : undefined;
  const size = batch.image.length;
  for (let page = 0; page < size / PAGE; page++) {
    const bytes = batch.image.subarray(page * PAGE, (page + 1) * PAGE);
    machine.load(RAM_START + PAGE * (frames?.[page] ?? page), bytes);
  }
  const satp = frames ? mapPages(machine, frames) : 0n;
  core.reset(RAM_START, PRIV_M, satp);
  drive(core, mode.stride, LIMIT * batch.programs.length);

  const results = new Uint8Array(size - (batch.results - RAM_START));
  const first = (batch.results - RAM_START) / PAGE;
  for (let page = 0; page * PAGE < results.length; page++) {
    const frame = (frames?.[first + page] ?? first + page) * PAGE;
    results.set(machine.ram.subarray(frame, frame + PAGE), page * PAGE);
  }
  return { results, instret: core.instret };
}

function drive(core: Core, stride: number, limit: number): void {
  let power = POWER_RUNNING;
  const step = BigInt(Math.min(stride, limit));
  for (let run = 0; power === POWER_RUNNING && run < limit / Number(step); run++) power = core.run(step);
  if (power === POWER_OFF) return;
  const { view } = core.machine;
  const csr = (offset: number) => `0x${view.getBigUint64(HARTS + offset, true).toString(16)}`;
  if (power === POWER_RUNNING) {
    throw new CoreFailure(`not at its end after ${core.instret} instructions, pc 0x${core.pc.toString(16)}`);
  }
  throw new CoreFailure(`trap: mepc ${csr(H_MEPC)}, mcause ${csr(H_MCAUSE)}, mtval ${csr(H_MTVAL)}`);
}

/** A frame for each page of the image, in random order but for the firmware's. */
function scatter({ image, programs }: Batch): number[] {
  const random = new Random(programs[0]?.seed ?? 0, programs[0]?.index ?? 0);
  const pages = Array.from({ length: image.length / PAGE - 1 }, (_, i) => i + 1);
  return [0, ...random.shuffle(pages)];
}

/** Sv39 tables at the end of RAM that map the image's addresses to `frames`; gives satp. */
function mapPages(machine: MachineMemory, frames: readonly number[]): bigint {
  const entry = (page: number, flags: number) => (BigInt(page) << 10n) | BigInt(flags);
  const ramPage = RAM_START / PAGE;
  const root = ramPage + machine.ram.length / PAGE - 1;
  const table = new Map<number, BigUint64Array>();
  const write = (page: number, index: number, value: bigint) => {
    const entries = table.get(page) ?? new BigUint64Array(512);
    entries[index] = value;
    table.set(page, entries);
  };
  write(root, RAM_START / 2 ** 30, entry(root - 1, 1));
  for (const [page, frame] of frames.entries()) {
    const leafTable = root - 2 - Math.floor(page / 512);
    write(root - 1, Math.floor(page / 512), entry(leafTable, 1));
    // V R W X U; every third page lets the core set A and D itself.
    write(leafTable, page % 512, entry(ramPage + frame, page % 3 === 0 ? 0x1f : 0xdf));
  }
  for (const [page, entries] of table) machine.load(page * PAGE, new Uint8Array(entries.buffer));
  return (8n << 60n) | BigInt(root);
}

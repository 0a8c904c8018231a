/** Tests which code is compiled, and what happens when there is more of it than a hart keeps. */
import { expect, test } from 'vitest';
import { FIXED_CODE_KEY, writeCodeKey } from '../../../src/machine/memory.ts';
import { decoder } from '../../jit/decoder.ts';
import type { Limits } from '../../jit/install.ts';
import { PACK_SIZE, type PackedRegion, PackWriter, readPack } from '../../jit/pack.ts';
import { SharedLog } from '../../jit/shared-log.ts';
import { type CodeLogs, Translator } from '../../jit/translator.ts';
import {
  COMPILE_PRICE,
  EXIT_BUDGET,
  EXIT_INTERPRET,
  EXIT_NOT_COMPILED,
  H_COMPILED,
  H_EXITS,
  HARTS,
  JUMP_HASH_SHIFT,
  JUMP_MASK,
  M_CREDIT,
  M_EVICTIONS,
  M_POWER,
  M_REGION_INSTRUCTIONS,
  M_REGIONS,
  M_STORED_REGIONS,
  MODE_JIT,
  MOST_STORED,
  POWER_RUNNING,
  RAM_START,
  REGION_PRICE,
} from '../../layout.ts';
import { Assembler } from '../differential/assembler.ts';
import { Core, coreModule, MachineMemory, PRIV_M } from '../support/core.ts';
import { instantiate } from '../support/instance.mjs';

const RAM_SIZE = 4 << 20;
const FUNCTIONS = RAM_START + 0x1_0000;
const PAGE = 4096;
/** Registers. */
const [RA, SUM, AT, LEFT, PAGES, ROUNDS, WRITES, STEP, CHANGE, WORD] = [1, 10, 8, 11, 9, 18, 19, 20, 21, 12];

/** Calls functions in turn, each in its own page. Each adds the number of its page to the sum in a loop. */
interface Program {
  readonly pages: number;
  /** How often a function adds at each call. */
  readonly additions: number;
  /** How often all functions are called. */
  readonly rounds: number;
  /** How many calls are preceded by a change of the function. */
  readonly writes?: number;
  /** Whether all functions change before each round. */
  readonly changing?: boolean;
}

function functionOf(page: number, { additions }: Program): Uint8Array {
  const code = new Assembler(FUNCTIONS + page * PAGE);
  code.emit('lui', { rd: LEFT, imm: additions << 12 });
  code.emit('srli', { rd: LEFT, rs1: LEFT, imm: 12 });
  const loop = code.place({});
  code.emit('addi', { rd: SUM, rs1: SUM, imm: page });
  code.emit('addi', { rd: LEFT, rs1: LEFT, imm: -1 });
  code.jump('bne', { rs1: LEFT, rs2: 0 }, loop);
  code.emit('jalr', { rd: 0, rs1: RA, imm: 0 });
  return code.bytes();
}

/** Makes the function at AT add 1 more. */
function emitChange(code: Assembler): void {
  code.emit('lw', { rd: WORD, rs1: AT, imm: 8 });
  code.emit('add', { rd: WORD, rs1: WORD, rs2: CHANGE });
  code.emit('sw', { rs1: AT, rs2: WORD, imm: 8 });
}

function emitChanges(code: Assembler, pages: number): void {
  code.relative('addi', { rd: AT }, AT, { address: FUNCTIONS });
  code.constant(PAGES, pages);
  const next = code.place({});
  emitChange(code);
  code.emit('add', { rd: AT, rs1: AT, rs2: STEP });
  code.emit('addi', { rd: PAGES, rs1: PAGES, imm: -1 });
  code.jump('bne', { rs1: PAGES, rs2: 0 }, next);
  code.emit('fence.i', { ignored: 0 });
}

function callerOf({ pages, rounds, writes = 0, changing }: Program): Uint8Array {
  const code = new Assembler(RAM_START);
  code.constant(ROUNDS, rounds);
  code.constant(WRITES, writes);
  code.emit('lui', { rd: STEP, imm: PAGE });
  code.emit('lui', { rd: CHANGE, imm: 1 << 20 });
  const round = code.place({});
  if (changing) emitChanges(code, pages);
  code.relative('addi', { rd: AT }, AT, { address: FUNCTIONS });
  code.constant(PAGES, pages);
  const call = code.place({});
  const unchanged = {};
  code.jump('beq', { rs1: WRITES, rs2: 0 }, unchanged);
  code.emit('addi', { rd: WRITES, rs1: WRITES, imm: -1 });
  emitChange(code);
  code.emit('fence.i', { ignored: 0 });
  code.place(unchanged);
  code.emit('jalr', { rd: RA, rs1: AT, imm: 0 });
  code.emit('add', { rd: AT, rs1: AT, rs2: STEP });
  code.emit('addi', { rd: PAGES, rs1: PAGES, imm: -1 });
  code.jump('bne', { rs1: PAGES, rs2: 0 }, call);
  code.emit('addi', { rd: ROUNDS, rs1: ROUNDS, imm: -1 });
  code.jump('bne', { rs1: ROUNDS, rs2: 0 }, round);
  const end = code.place({});
  code.jump('jal', { rd: 0 }, end);
  return code.bytes();
}

/** Of another machine than the one of the first run. */
const OTHER_KEY = BigUint64Array.of(1n, 2n);

function load(program: Program, key = FIXED_CODE_KEY): MachineMemory {
  const machine = new MachineMemory(1, RAM_SIZE, MODE_JIT);
  writeCodeKey(machine.view, key);
  machine.load(RAM_START, callerOf(program));
  for (let page = 0; page < program.pages; page++)
    machine.load(FUNCTIONS + page * PAGE, functionOf(page, program));
  return machine;
}

function creditOf(machine: MachineMemory): number {
  return Number(machine.view.getBigInt64(M_CREDIT, true));
}

class Subject {
  readonly #core: Core;

  static async start(
    program: Program,
    limits?: Limits,
    logs?: CodeLogs,
    key?: BigUint64Array<ArrayBuffer>,
  ): Promise<Subject> {
    const machine = load(program, key);
    return new Subject(new Core(await coreModule(), machine, 0, undefined, undefined, limits, logs));
  }

  private constructor(core: Core) {
    this.#core = core;
    this.#core.reset(RAM_START, PRIV_M);
  }

  /** Runs about so many million instructions. */
  run(millions: number): this {
    this.#core.run(BigInt(millions * 1e6));
    return this;
  }

  get sum(): number {
    return Number(this.#core.x(SUM));
  }
  get regions(): number {
    return this.#counter(M_REGIONS);
  }
  get regionInstructions(): number {
    return this.#counter(M_REGION_INSTRUCTIONS);
  }
  /** Regions of another run that are used. */
  get storedRegions(): number {
    return this.#counter(M_STORED_REGIONS);
  }
  /** Instructions retired in compiled code. */
  get compiled(): number {
    return Number(this.#core.machine.view.getBigUint64(HARTS + H_COMPILED, true));
  }
  /** How often a quantum ended in compiled code. */
  get compiledQuanta(): number {
    return Number(this.#core.machine.view.getBigUint64(HARTS + H_EXITS + 8 * EXIT_BUDGET, true));
  }
  get evictions(): number {
    return this.#counter(M_EVICTIONS);
  }
  get credit(): number {
    return creditOf(this.#core.machine);
  }
  set credit(instructions: number) {
    this.#core.machine.view.setBigInt64(M_CREDIT, BigInt(instructions), true);
  }

  #counter(address: number): number {
    return this.#core.machine.view.getUint32(address, true);
  }
}

test('compiles all of a program with few pages of code', async () => {
  const subject = await Subject.start({ pages: 50, additions: 10_000, rounds: 1e6 });
  expect(subject.run(60).regions).toBeGreaterThanOrEqual(50);
});

test('compiles almost nothing of a program with many pages that are all equally warm', async () => {
  const subject = await Subject.start({ pages: 600, additions: 10_000, rounds: 1e6 });
  expect(subject.run(120).regions).toBeLessThan(10);
});

test('interrupts compiled code less often than interpreted code', async () => {
  const subject = await Subject.start({ pages: 1, additions: 200_000, rounds: 1e6 });
  subject.run(2);
  const [compiled, quanta] = [subject.compiled, subject.compiledQuanta];
  subject.run(10);
  const length = (subject.compiled - compiled) / (subject.compiledQuanta - quanta);
  expect(length).toBeGreaterThan(30_000);
  expect(length).toBeLessThan(40_000);
});

test('compiles nothing with too much debt, and goes on once enough is earned', async () => {
  const subject = await Subject.start({ pages: 4, additions: 10_000, rounds: 1e6 });
  subject.credit = -13_000 * COMPILE_PRICE - 1e6;
  expect(subject.run(10).regions).toBe(0);
  expect(subject.run(40).regions).toBeGreaterThan(0);
});

test('soon compiles nothing of a program that goes on to new code all the time', async () => {
  // Every page would be hot enough, and is never executed again.
  const subject = await Subject.start({ pages: 600, additions: 30_000, rounds: 1 });
  expect(subject.run(50).regions).toBeLessThan(60);
});

test('pays with the report, so that a slow translator is not given more than can be paid', async () => {
  const machine = load({ pages: 4, additions: 10_000, rounds: 1e6 });
  const core = instantiate(await coreModule(), machine.memory, () => {}, 0);
  machine.view.setInt32(M_POWER, POWER_RUNNING, true);
  core.reset(0, BigInt(RAM_START), PRIV_M, 0n);
  core.run(0, 20_000_000n);
  // The income of 20 M instructions is less than the price of two regions.
  expect(creditOf(machine)).toBeLessThan(-REGION_PRICE);
});

test('compiles code once that is reported again before it is installed', async () => {
  const machine = load({ pages: 2, additions: 10_000, rounds: 1e6 });
  const module = await coreModule();
  let reports = 0;
  const core = instantiate(
    module,
    machine.memory,
    () => {},
    0,
    () => () => reports++,
  );
  machine.view.setInt32(M_POWER, POWER_RUNNING, true);
  core.reset(0, BigInt(RAM_START), PRIV_M, 0n);
  machine.view.setBigInt64(M_CREDIT, BigInt(1e12), true);
  core.run(0, 10_000_000n);
  expect(reports).toBeGreaterThan(4);
  const translator = new Translator(machine.memory, decoder(module, machine.memory), [0]);
  expect(translator.translate()?.regions.length).toBeLessThanOrEqual(3);
});

test('pays for every instruction that it compiles', async () => {
  const subject = await Subject.start({ pages: 2, additions: 10_000, rounds: 1e6 });
  const before = subject.credit;
  subject.run(6);
  const price = subject.regionInstructions * COMPILE_PRICE;
  expect(price).toBeGreaterThan(0);
  // Each retired instruction earns one at most, and a sixteenth.
  expect(subject.credit).toBeLessThanOrEqual(before - price + 6.1e6 * (1 + 1 / 16));
  expect(subject.credit).toBeGreaterThan(before - price);
});

test('leaves a page that is written again and again to the interpreter until it rests', async () => {
  const subject = await Subject.start({ pages: 1, additions: 200_000, rounds: 1e6, writes: 100 });
  subject.run(60);
  const { regions } = subject;
  expect(regions).toBeLessThan(10);
  expect(subject.run(40).regions).toBeGreaterThan(regions);
});

test('drops the oldest regions when there are too many, and runs on right', async () => {
  const program = { pages: 40, additions: 10_000, rounds: 80 };
  const subject = await Subject.start(program, { regions: 16, modules: 1000, bytes: 32 << 20 });
  subject.credit = 1e12;
  subject.run(120);
  expect(subject.evictions).toBeGreaterThan(3);
  expect(subject.sum).toBe(program.rounds * program.additions * ((program.pages * (program.pages - 1)) / 2));
});

test.each([50, 400])('runs changed code after a fence.i that follows the code of %i pages', async (pages) => {
  const program = { pages, additions: 10, rounds: 30, changing: true };
  const subject = await Subject.start(program);
  const sums = Array.from({ length: program.rounds }, (_, round) => pages * ((pages - 1) / 2 + round + 1));
  expect(subject.run(20).sum).toBe(program.additions * sums.reduce((all, sum) => all + sum));
});

/** The logs of a run that has the code of others. */
function logsWith(pack = new Uint8Array()): CodeLogs {
  const stored = SharedLog.ofSize(PACK_SIZE);
  stored.append(pack);
  return { stored, made: SharedLog.ofSize(PACK_SIZE) };
}

/** What a run of the program compiles. */
async function packFrom(program: Program): Promise<Uint8Array<ArrayBuffer>> {
  const logs = logsWith();
  const subject = await Subject.start(program, undefined, logs);
  subject.run(60);
  const pack = logs.made.read();
  expect(readPack(pack).length).toBe(subject.regions);
  expect(subject.storedRegions).toBe(0);
  return pack;
}

const SOME_PAGES: Program = { pages: 50, additions: 10_000, rounds: 40 };

test('uses in a second run early what was hot in the first, and translates nothing', async () => {
  const pack = await packFrom({ ...SOME_PAGES, rounds: 1e6 });
  const first = (await Subject.start(SOME_PAGES)).run(10);
  expect(first.regions).toBeLessThan(10);
  const logs = logsWith(pack);
  const second = await Subject.start(SOME_PAGES, undefined, logs, OTHER_KEY);
  expect(second.run(24).storedRegions).toBeGreaterThan(40);
  expect(second.compiled).toBeGreaterThan(4e6);
  second.run(100);
  expect(second.regions).toBeLessThan(3);
  expect(second.sum).toBe(40 * 10_000 * ((50 * 49) / 2));
});

test('takes stored code that arrives while it runs', async () => {
  const pack = await packFrom({ ...SOME_PAGES, rounds: 1e6 });
  const others = { ...SOME_PAGES, additions: 9000, rounds: 1e6 };
  const logs = logsWith(await packFrom(others));
  const subject = await Subject.start({ ...SOME_PAGES, rounds: 1e6 }, undefined, logs);
  // The page with the calls is the same.
  expect(subject.run(10).storedRegions).toBeLessThanOrEqual(1);
  logs.stored.append(pack);
  expect(subject.run(100).storedRegions).toBeGreaterThan(30);
});

test('takes no other page for one that was hot', async () => {
  const pack = await packFrom({ ...SOME_PAGES, rounds: 1e6 });
  const other = await Subject.start({ ...SOME_PAGES, additions: 10_001 }, undefined, logsWith(pack));
  // The page with the calls is the same.
  expect(other.run(100).storedRegions).toBeLessThanOrEqual(1);
  expect(other.sum).toBe(40 * 10_001 * ((50 * 49) / 2));
});

test('uses stored code as late as new code while a part of what the program does is new', async () => {
  const pack = await packFrom({ ...SOME_PAGES, rounds: 1e6 });
  const program = { ...SOME_PAGES, pages: 60, rounds: 1e6 };
  const subject = await Subject.start(program, undefined, logsWith(pack));
  expect(subject.run(2).storedRegions).toBe(0);
  expect(subject.run(60).storedRegions).toBeGreaterThan(40);
});

test('runs stored code right wherever its page is, and not for other bytes', async () => {
  const program = { pages: 50, additions: 300, rounds: 1500, changing: true };
  const pack = await packFrom({ ...program, changing: false, rounds: 1e6 });
  const subject = await Subject.start(program, undefined, logsWith(pack), OTHER_KEY);
  subject.run(100);
  const sums = Array.from({ length: program.rounds }, (_, round) => 50 * (49 / 2 + round + 1));
  expect(subject.sum).toBe(program.additions * sums.reduce((all, sum) => all + sum));
});

const REGION_RECORD = 1;
const PAGE_RECORD = 0;

test.each([
  ['functions that are not valid', REGION_RECORD, 0xff],
  ['functions that end early', REGION_RECORD, 0x0b],
  ['pages that are others', PAGE_RECORD, 0x13],
])('runs on right with %s in the pack', async (_, kind, byte) => {
  const damaged = await packFrom({ ...SOME_PAGES, rounds: 1e6 });
  const view = new DataView(damaged.buffer);
  for (let at = 0, end = 0; at < damaged.length; at = end) {
    end = at + view.getUint32(at, true);
    if (damaged[at + 4] === kind) damaged.fill(byte, end - 20, end);
  }
  const subject = await Subject.start(SOME_PAGES, undefined, logsWith(damaged));
  expect(subject.run(100).storedRegions).toBe(0);
  expect(subject.sum).toBe(40 * 10_000 * ((50 * 49) / 2));
});

test('takes as many stored regions as there are numbers', async () => {
  const pages = [{ delta: 0, bytes: new Uint8Array(PAGE), entries: [], wide: [] }];
  const body = { bytes: Uint8Array.of(0, 0, 0x0b), hints: Uint8Array.of(0), globals: [] };
  const region: PackedRegion = { pages, hot: 0, isNarrow: false, isPortable: true, function: body };
  const logs = logsWith();
  for (const count of [MOST_STORED - 1, 3, 5]) {
    const writer = new PackWriter();
    for (let n = 0; n < count; n++) logs.stored.append(writer.add(region) as Uint8Array);
  }
  const { memory } = load({ pages: 1, additions: 1, rounds: 1 });
  const translator = new Translator(memory, decoder(await coreModule(), memory), [0], logs);
  const module = new WebAssembly.Module(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00));
  const numbers = () =>
    translator
      .nextStored()
      ?.finish(module)
      .regions.map(({ stored }) => stored);
  expect(numbers()?.at(-1)).toBe(MOST_STORED - 2);
  expect(numbers()).toEqual([MOST_STORED - 1]);
  expect(numbers()).toBeUndefined();
});

/** Runs until everything is hot, and expects that the program then stays in compiled code. */
async function expectToStay(machine: MachineMemory): Promise<void> {
  const core = new Core(await coreModule(), machine, 0);
  core.reset(RAM_START, PRIV_M);
  core.run(10_000_000n);
  const count = (counter: number) => Number(machine.view.getBigUint64(HARTS + counter, true));
  const exits = () => count(H_EXITS + 8 * EXIT_INTERPRET) + count(H_EXITS + 8 * EXIT_NOT_COMPILED);
  const before = { compiled: count(H_COMPILED), exits: exits() };
  core.run(10_000_000n);
  expect(count(H_COMPILED) - before.compiled).toBeGreaterThan(9_000_000);
  expect(exits() - before.exits).toBeLessThan(1000);
}

test('compiles an instruction that straddles two pages', async () => {
  const code = new Assembler(RAM_START);
  const fillTo = (offset: number) => {
    while (code.pc < RAM_START + offset) code.emit('c.addi', { rd: SUM, imm: 1 });
  };
  fillTo(PAGE - 34);
  const loop = code.place({});
  fillTo(PAGE - 2);
  for (let n = 0; n < 100; n++) code.emit('addi', { rd: SUM, rs1: SUM, imm: 1 });
  code.jump('jal', { rd: 0 }, loop);
  const machine = new MachineMemory(1, RAM_SIZE, MODE_JIT);
  machine.load(RAM_START, code.bytes());
  await expectToStay(machine);
});

test('stays in compiled code that calls two functions with one place in the jump cache', async () => {
  const functions = [FUNCTIONS, FUNCTIONS + 0x8010];
  const place = (address: number) => (address ^ (address >>> JUMP_HASH_SHIFT)) & (JUMP_MASK >> 3);
  expect(new Set(functions.map(place)).size).toBe(1);
  const code = new Assembler(RAM_START);
  const machine = new MachineMemory(1, RAM_SIZE, MODE_JIT);
  for (const address of functions) {
    code.relative('addi', { rd: AT }, AT, { address });
    code.emit('jalr', { rd: RA, rs1: AT, imm: 0 });
    const body = new Assembler(address);
    body.emit('addi', { rd: SUM, rs1: SUM, imm: 1 });
    body.emit('jalr', { rd: 0, rs1: RA, imm: 0 });
    machine.load(address, body.bytes());
  }
  code.jump('jal', { rd: 0 }, { address: RAM_START });
  machine.load(RAM_START, code.bytes());
  await expectToStay(machine);
});

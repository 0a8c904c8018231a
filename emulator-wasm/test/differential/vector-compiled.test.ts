/** Runs every vector instruction compiled and interpreted, with equal registers, vtype and lengths. */
import { expect, test } from 'vitest';
import {
  H_F,
  H_FFLAGS,
  H_MSTATUS,
  H_MTVEC,
  H_PC,
  H_V,
  H_VCSR,
  HARTS,
  MODE_JIT,
  MODE_JIT_ALL,
  POWER_RUNNING,
  RAM_START,
} from '../../layout.ts';
import { Core, coreModule, MachineMemory } from '../support/core.ts';
import { Random } from '../support/random.ts';
import { Assembler } from './assembler.ts';
import { fieldRange, INSTRUCTIONS, type Instruction, type Operands } from './instructions.ts';

const RAM_SIZE = 1 << 20;
const CODE = RAM_START + 0x1000;
const DATA = RAM_START + 0x8000;
const DATA_BYTES = 512;
/** Instructions, after which the program is in the loop at its end. */
const ENOUGH = 1000n;
/** The registers, up to vcsr. */
const STATE_BYTES = H_VCSR + 4;
/** Executions of each instruction. */
const TIMES = process.env.LONG_TESTS ? 40 : 6;
const ON = (3n << 9n) | (3n << 13n);
const POINTER = 10;
const SCALAR = 11;
const LENGTH = 12;
const TEMPORARY = 13;

const VECTOR = INSTRUCTIONS.filter(
  ({ name, extension }) => (extension === 'V' || extension === 'Zvbb') && !name.startsWith('vset'),
);

/** Registers of the largest groups mostly, so that few instructions are illegal. */
function operandsOf(random: Random, { fields }: Instruction): Operands {
  const operands: Operands = {};
  for (const field of fields) {
    const { low, high } = fieldRange(field);
    if (field.kind === 'v') operands[field.name] = 8 * random.below(4) + (random.chance(0.1) ? 4 : 0);
    else if (field.kind === 'x') operands[field.name] = field.name === 'rd' ? TEMPORARY : SCALAR;
    else if (field.name === 'vm') operands.vm = random.chance(0.7) ? 1 : 0;
    else operands[field.name] = random.between(low, high);
  }
  return operands;
}

function codeFor(random: Random, instruction: Instruction): Uint8Array {
  const assembler = new Assembler(CODE);
  // NX, which most floating-point instructions must know to be compiled.
  assembler.emit('csrrwi', { rd: 0, csr: 1, zimm: 1 });
  const isAccess = (instruction.match & 0x5f) === 0x07;
  for (let n = 0; n < TIMES; n++) {
    const vtype = (random.below(4) << 3) | random.pick([0, 0, 1, 2, 3, 6, 7]);
    const isLongest = random.chance(0.6);
    if (!isLongest) assembler.emit('addi', { rd: LENGTH, rs1: 0, imm: random.below(20) });
    assembler.emit('vsetvli', { rd: TEMPORARY, rs1: isLongest ? 0 : LENGTH, vtype });
    const operands = operandsOf(random, instruction);
    if (isAccess) operands.rs1 = POINTER;
    assembler.emit(instruction, operands);
  }
  assembler.emit('jal', { rd: 0, imm: 0 });
  return assembler.bytes();
}

/** Small numbers of each format among random bits. */
function fill(random: Random, view: DataView, from: number, bytes: number): void {
  for (let at = from; at < from + bytes; at += 8) {
    if (random.chance(0.3)) view.setFloat64(at, random.between(-1000, 1000) / 8, true);
    else if (random.chance(0.5)) {
      view.setFloat32(at, random.between(-1000, 1000) / 8, true);
      view.setFloat32(at + 4, random.between(-1000, 1000) / 8, true);
    } else {
      view.setUint32(at, random.u32(), true);
      view.setUint32(at + 4, random.u32(), true);
    }
  }
}

test('compiled vector instructions do the same as interpreted ones', { timeout: 240_000 }, async () => {
  const module = await coreModule();
  const [interpreted, compiled] = [0, MODE_JIT | MODE_JIT_ALL].map((mode) => {
    const machine = new MachineMemory(1, RAM_SIZE, mode);
    return { machine, core: new Core(module, machine) };
  }) as [Side, Side];
  const differing: string[] = [];
  let traps = 0;
  for (const [n, instruction] of VECTOR.entries()) {
    const results = [interpreted, compiled].map((side) => run(side, new Random(n, 1, 1), instruction));
    traps += Number(results[0]?.traps);
    if (results[0]?.text !== results[1]?.text) differing.push(instruction.name);
  }
  expect(differing).toEqual([]);
  expect(traps / (VECTOR.length * TIMES)).toBeLessThan(0.5);
});

test('an operation that is left to the core does not hide the length from the next', async () => {
  const module = await coreModule();
  const results = [0, MODE_JIT | MODE_JIT_ALL].map((mode) => {
    const machine = new MachineMemory(1, RAM_SIZE, mode);
    const assembler = new Assembler(CODE);
    assembler.emit('vsetivli', { rd: 0, imm: 4, vtype: 2 << 3 });
    // frm is not to nearest, so that the core adds. The block only expects vtype.
    assembler.emit('csrrwi', { rd: 0, csr: 2, zimm: 2 });
    assembler.emit('jal', { rd: 0, imm: 4 });
    assembler.emit('vfadd.v', { vd: 8, vs2: 9, vs1: 10, vm: 1 });
    assembler.emit('vadd.v', { vd: 16, vs2: 9, vs1: 10, vm: 1 });
    assembler.emit('jal', { rd: 0, imm: 0 });
    return execute({ machine, core: new Core(module, machine) }, new Random(1, 1, 1), assembler.bytes());
  });
  expect(results[1]).toEqual(results[0]);
});

interface Side {
  readonly machine: MachineMemory;
  readonly core: Core;
}

interface Result {
  /** All registers, and the data. */
  readonly text: string;
  readonly traps: bigint;
}

function run(side: Side, random: Random, instruction: Instruction): Result {
  return execute(side, random, codeFor(random, instruction));
}

/** Runs code with random registers and memory. */
function execute({ machine, core }: Side, random: Random, code: Uint8Array): Result {
  const { view } = machine;
  // The handler of illegal instructions counts them in x20, and goes on behind them.
  const handler = new Assembler(RAM_START);
  handler.emit('addi', { rd: 20, rs1: 20, imm: 1 });
  handler.emit('csrrs', { rd: TEMPORARY, csr: 0x341, rs1: 0 });
  handler.emit('addi', { rd: TEMPORARY, rs1: TEMPORARY, imm: 4 });
  handler.emit('csrrw', { rd: 0, csr: 0x341, rs1: TEMPORARY });
  handler.emit('mret', {});
  machine.load(RAM_START, handler.bytes());
  machine.load(CODE, code);
  const data = new Uint8Array(DATA_BYTES);
  fill(random, new DataView(data.buffer), 0, DATA_BYTES);
  machine.load(DATA, data);
  core.reset(CODE);
  fill(random, view, HARTS + H_V, 512);
  fill(random, view, HARTS + H_F, 256);
  const word = (offset: number, value: bigint) => view.setBigUint64(HARTS + offset, value, true);
  word(H_MSTATUS, view.getBigUint64(HARTS + H_MSTATUS, true) | ON);
  word(H_MTVEC, BigInt(RAM_START));
  word(8 * POINTER, BigInt(DATA + 64));
  word(8 * SCALAR, BigInt(random.between(-3, 20)));
  expect(core.run(ENOUGH)).toBe(POWER_RUNNING);
  const state = new Uint8Array(machine.memory.buffer, HARTS, STATE_BYTES).slice();
  const flags = view.getUint32(HARTS + H_FFLAGS, true);
  const parts = [
    state.subarray(0, H_PC),
    state.subarray(H_V),
    machine.ram.slice(DATA - RAM_START, DATA - RAM_START + DATA_BYTES),
  ];
  return {
    text: [...parts.map((part) => Buffer.from(part).toString('hex')), flags].join(' '),
    traps: core.x(20),
  };
}

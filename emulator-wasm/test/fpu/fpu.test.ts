/**
 * Compares assembly/riscv/fpu with the F and D instructions of QEMU on random operands, the same in each run.
 * FUZZ_SEED=number takes others.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Generator, type Tuple } from './operands.ts';
import { Fpu, type Operation, operations, roundingOperations } from './operations.ts';

const NX = 1;
const ROUNDING_MODES = [0, 0, 0, 0, 1, 2, 3, 4];
const OPERANDS = 200_000;
const TUPLE_SIZE = 32;
const ANSWER_SIZE = 16;
const seed = Number(process.env.FUZZ_SEED ?? 1);

interface Case extends Tuple {
  operation: Operation;
  rm: number;
  flags: number;
}

let directory: string;
let fpu: Fpu;

async function compileFpu(): Promise<Fpu> {
  const wasm = join(directory, 'fpu.wasm');
  const { error, stderr } = await asc.main([
    relative('', fileURLToPath(new URL('../../assembly/riscv/fpu/index.ts', import.meta.url))),
    ...['--outFile', relative('', wasm), '--runtime', 'stub', '-O3', '--noAssert', '--enable', 'threads'],
    ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '1'],
  ]);
  if (error) throw new Error(stderr.toString());
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), { env: { memory } });
  return new Fpu(instance.exports);
}

function compileOracle(): void {
  const source = fileURLToPath(new URL('oracle.c', import.meta.url));
  execFileSync('riscv64-linux-gnu-gcc', ['-O2', '-static', '-o', join(directory, 'oracle'), source]);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fpu-'));
  compileOracle();
  fpu = await compileFpu();
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true }));

/** Every tuple of operands occurs twice, because NX decides whether the host's arithmetic may be used. */
function generate(): Case[] {
  const generator = new Generator(seed);
  const cases: Case[] = [];
  for (let i = 0; i < OPERANDS; i++) {
    const operation = generator.pick(generator.below(2) ? operations : roundingOperations);
    const rm = generator.pick(ROUNDING_MODES);
    const tuple = generator.tuple(operation.operands);
    const others = generator.below(8) ? 0 : generator.below(32) & ~NX;
    cases.push({ ...tuple, operation, rm, flags: others }, { ...tuple, operation, rm, flags: others | NX });
  }
  return cases;
}

/** Results and flags, ANSWER_SIZE bytes for each case. */
function askOracle(cases: Case[]): DataView {
  const input = new DataView(new ArrayBuffer(cases.length * TUPLE_SIZE));
  cases.forEach(({ operation, rm, flags, a, b, c }, i) => {
    const offset = i * TUPLE_SIZE;
    input.setUint16(offset, operations.indexOf(operation), true);
    input.setUint8(offset + 2, rm);
    input.setUint8(offset + 3, flags);
    [a, b, c].forEach((operand, j) => {
      input.setBigUint64(offset + 8 + 8 * j, operand, true);
    });
  });
  const output = execFileSync('qemu-riscv64', [join(directory, 'oracle')], {
    input: new Uint8Array(input.buffer),
    maxBuffer: cases.length * ANSWER_SIZE,
  });
  expect(output.length).toBe(cases.length * ANSWER_SIZE);
  return new DataView(output.buffer, output.byteOffset);
}

function format(result: bigint, flags: number): string {
  return `${BigInt.asUintN(64, result).toString(16).padStart(16, '0')} fflags ${flags}`;
}

test('F and D agree with QEMU', { timeout: 240_000 }, () => {
  const cases = generate();
  const answers = askOracle(cases);
  const differences: string[] = [];
  cases.forEach(({ operation, rm, flags, a, b, c }, i) => {
    fpu.flags = flags;
    const actual = format(operation.execute(fpu, a, b, c, rm), fpu.flags);
    const expected = format(
      answers.getBigUint64(i * ANSWER_SIZE, true),
      Number(answers.getBigUint64(i * ANSWER_SIZE + 8, true)),
    );
    if (actual === expected) return;
    const operands = [a, b, c].map((operand) => operand.toString(16).padStart(16, '0')).join(' ');
    differences.push(`${operation.name} ${operands} rm ${rm} fflags ${flags}: ${actual}, not ${expected}`);
  });
  expect(differences.length, differences.slice(0, 20).join('\n')).toBe(0);
});

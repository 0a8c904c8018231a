/** Reading the user's counters (Zicntr). */
import { CounterOp } from '../assembly/riscv/opcodes.ts';
import type { Emit } from './emit.ts';
import type { RegionFunction } from './function.ts';
import type { Counter } from './operations.ts';
import type { Instruction } from './page.ts';
import { BUDGET, HART } from './parameters.ts';
import { I64, wasm } from './wasm.ts';

/** The value of `counterValue` that leaves the instruction to the interpreter. */
const REFUSED = -1;

/** The core reads the counter, at the same count of instructions as in the interpreter. */
function emitReadCounter(f: RegionFunction, { rd, imm, offset }: Instruction, retired: number): void {
  const { code } = f;
  f.registers.flush();
  const value = f.borrow(I64);
  code.get(HART);
  code.i32(imm);
  code.get(BUDGET);
  code.i32(retired);
  code.op(wasm.i32Sub);
  f.call('counterValue');
  code.tee(value);
  code.i64(REFUSED);
  code.op(wasm.i64Eq);
  f.interpretIf(offset, retired);
  if (rd !== undefined) {
    code.get(value);
    f.registers.set(rd);
  }
  f.release(I64, value);
}

export const COUNTER = { [CounterOp.READ_COUNTER]: emitReadCounter } satisfies Record<Counter, Emit>;

/**
 * Goes from one region to the next without the interpreter. The dispatcher is a function with one instance
 * for each hart. It looks up where a region continues, and tail-calls that. Only the dispatcher imports the
 * table, because V8 11 keeps a copy of the table for each instance that imports it.
 */
import {
  EXIT_BUDGET,
  EXIT_INTERPRET,
  EXIT_NOT_COMPILED,
  H_EXITS,
  H_JUMPS,
  H_LEFT,
  H_PC,
  JUMP_HASH_SHIFT,
  JUMP_MASK,
  JUMP_OTHER,
  JUMP_REGION,
  REGION_SHIFT,
} from '../layout.ts';
import { ModuleWriter, type Signature } from './module.ts';
import { FRAMES_SHIFT, LEFT, MAX_FRAMES, REGION_SIGNATURE } from './parameters.ts';
import { Code, I32, I64, type Label, wasm } from './wasm.ts';

export const DISPATCH = 'dispatch';

/**
 * (hart's block, load TLB, virtual address to continue at, instructions left, callers << FRAMES_SHIFT) →
 * result of the region that runs.
 */
export const DISPATCH_SIGNATURE: Signature = { parameters: [I32, I32, I64, I32, I32], results: [I32] };

const HART = 0;
const TLB = 1;
const PC = 2;
const BUDGET = 3;
const FRAMES = 4;

const JUMP_SHIFT = 3;
const PAGE_MASK = -0x1000;

/** A function that tail-calls itself. */
const TAIL_CALL = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00, 0x0a, 0x06, 0x01, 0x04, 0x00, 0x12, 0x00, 0x0b],
];
let tailCalls: boolean | undefined;

export function hasTailCalls(): boolean {
  tailCalls ??= WebAssembly.validate(new Uint8Array(TAIL_CALL));
  return tailCalls;
}

/** The module that exports the function as `0`. */
export function dispatchModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter(DISPATCH_SIGNATURE, {}, hasTailCalls());
  const code = new Code(DISPATCH_SIGNATURE.parameters.length);
  const left = code.block();
  const notCompiled = code.block();
  const spent = code.block();
  const interpret = code.block();
  code.get(PC);
  code.op(wasm.i32WrapI64);
  code.i32(1);
  code.op(wasm.i32And);
  code.brIfUnlikely(interpret);
  code.get(BUDGET);
  code.i32(0);
  code.op(wasm.i32LeS);
  code.brIfUnlikely(spent);
  // Too deep: all callers return, and the interpreter continues without callers.
  code.get(FRAMES);
  code.i32(MAX_FRAMES << FRAMES_SHIFT);
  code.op(wasm.i32GtU);
  code.brIfUnlikely(left);
  if (hasTailCalls()) goOn(code, notCompiled, module.type(REGION_SIGNATURE));
  else code.br(notCompiled);
  for (const reason of [EXIT_INTERPRET, EXIT_BUDGET, EXIT_NOT_COMPILED]) {
    code.end();
    count(code, reason);
    code.br(left);
  }
  code.end();
  code.get(HART);
  code.get(PC);
  code.memory(wasm.i64Store, H_PC);
  code.get(HART);
  code.get(BUDGET);
  code.memory(wasm.i32Store, H_LEFT);
  code.i32(LEFT);
  module.add(code.finish());
  return module.finish();
}

function goOn(code: Code, notCompiled: Label, signature: number): void {
  const entry = code.local(I32);
  const region = code.local(I32);
  code.get(HART);
  code.memory(wasm.i32Load, H_JUMPS);
  code.get(PC);
  code.get(PC);
  code.i64(JUMP_HASH_SHIFT);
  code.ops(wasm.i64ShrU, wasm.i64Xor, wasm.i32WrapI64);
  code.i32(JUMP_SHIFT);
  code.op(wasm.i32Shl);
  code.i32(JUMP_MASK);
  code.ops(wasm.i32And, wasm.i32Add);
  code.set(entry);
  pushDiffers(code, entry);
  code.ifUnlikely();
  code.get(entry);
  code.i32(JUMP_OTHER);
  code.op(wasm.i32Xor);
  code.set(entry);
  pushDiffers(code, entry);
  code.brIfUnlikely(notCompiled);
  code.end();
  code.get(entry);
  code.memory(wasm.i32Load, JUMP_REGION);
  code.tee(region);
  code.op(wasm.i32Eqz);
  code.brIfUnlikely(notCompiled);
  code.get(HART);
  code.get(TLB);
  code.get(PC);
  code.i64(PAGE_MASK);
  code.op(wasm.i64And);
  code.get(BUDGET);
  code.get(region);
  code.i32((1 << REGION_SHIFT) - 1);
  code.op(wasm.i32And);
  code.get(FRAMES);
  code.op(wasm.i32Or);
  code.get(region);
  code.i32(REGION_SHIFT);
  code.op(wasm.i32ShrU);
  code.tailCallIndirect(signature);
}

/** Pushes whether a place of the jump cache has another address. */
function pushDiffers(code: Code, entry: number): void {
  code.get(entry);
  code.memory(wasm.i64Load, 0);
  code.get(PC);
  code.op(wasm.i64Ne);
}

/** Counts in H_EXITS. */
function count(code: Code, reason: number): void {
  const counter = H_EXITS + 8 * reason;
  code.get(HART);
  code.get(HART);
  code.memory(wasm.i64Load, counter);
  code.i64(1);
  code.op(wasm.i64Add);
  code.memory(wasm.i64Store, counter);
}

/** Unit-stride loads and stores of vectors (V 1.0, section 7.4), through the TLB. */
import { FAULT_FIRST, MASK, UNIT, WHOLE } from '../assembly/riscv/vector/opcodes.ts';
import { pushAddend, READING, WRITING } from './memory.ts';
import { HART } from './parameters.ts';
import { simd } from './simd.ts';
import { groupLength, isAligned, type Plan, type VectorContext } from './vector-code.ts';
import type { VectorInstruction, VectorType } from './vector-type.ts';
import { addressOf } from './vector-unit.ts';
import { I32, I64, wasm } from './wasm.ts';

const STORES = 0x20;
const REGISTER = 16;

export function planMemory(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { bits, unmasked, vd, vs2 } = fields;
  const isStore = (bits & STORES) !== 0;
  const mop = (bits >>> 26) & 3;
  const count = (bits >>> 29) + 1;
  const width = (bits >>> 12) & 7;
  const eew = width === 0 ? 0 : width - 4;
  if ((bits & (1 << 28)) !== 0 || mop !== UNIT) return undefined;
  if (vs2 === WHOLE) {
    if ((count & (count - 1)) !== 0 || vd % count !== 0 || !unmasked || (isStore && eew !== 0))
      return undefined;
    return isStore ? planWholeStore(count) : planWholeLoad(count);
  }
  if (count !== 1) return undefined;
  if (vs2 === MASK) return width === 0 && unmasked && !isStore ? planMaskLoad() : undefined;
  const groups = eew - type.sew + type.lmul;
  if (groups < -3 || groups > 3 || !isAligned(vd, groups)) return undefined;
  if (vs2 !== 0 && (vs2 !== FAULT_FIRST || isStore)) return undefined;
  if (isStore) return unmasked ? planStore(eew, groups, type) : undefined;
  return unmasked || vd !== 0 ? planLoad(eew, groups) : undefined;
}

/** Sets the local to the address of the access in the shared memory, if all these bytes are in one page. */
function findHost(context: VectorContext, host: number, bytes: number, tlb: number): void {
  const { code, f, instruction } = context;
  const address = f.borrow(I64);
  f.registers.get(instruction.rs1);
  code.tee(address);
  pushAddend(f, bytes, tlb, address, () => context.leaveIf());
  code.get(address);
  code.ops(wasm.i32WrapI64, wasm.i32Add);
  code.set(host);
  f.release(I64, address);
}

/** A page that may be read may be read as far as a register reaches, because it is RAM. */
function planLoad(eew: number, groups: number): Plan {
  return {
    writes: groupLength(groups),
    emit(context) {
      context.begin(groups);
      emitLoads(context, groupLength(groups), (k) => context.set(k, eew));
    },
  };
}

function emitLoads(context: VectorContext, count: number, set: (k: number) => void): void {
  const { code, f } = context;
  const host = f.borrow(I32);
  findHost(context, host, REGISTER * count, READING);
  for (let k = 0; k < count; k++) {
    code.get(host);
    code.simdMemory(simd.load, REGISTER * k);
    set(k);
  }
  f.release(I32, host);
}

function planWholeLoad(count: number): Plan {
  return {
    writes: count,
    emit(context) {
      context.requireLength();
      emitLoads(context, count, (k) => context.unit.set(context.fields.vd + k));
    },
  };
}

/** vlm.v */
function planMaskLoad(): Plan {
  return {
    writes: 1,
    emit(context) {
      const { code, unit, fields } = context;
      context.requireLength();
      emitLoads(context, 1, () => {
        unit.get(fields.vd);
        code.get(unit.length);
        code.i32(7);
        code.op(wasm.i32Add);
        code.i32(3);
        code.op(wasm.i32ShrU);
        context.pushBelow();
        code.simd(simd.bitselect);
        unit.set(fields.vd);
      });
    },
  };
}

function planWholeStore(count: number): Plan {
  return {
    writes: 0,
    emit(context) {
      context.requireLength();
      emitStores(context, count);
    },
  };
}

function emitStores(context: VectorContext, count: number): void {
  const { code, f, unit, fields } = context;
  const host = f.borrow(I32);
  findHost(context, host, REGISTER * count, WRITING);
  for (let k = 0; k < count; k++) {
    code.get(host);
    unit.get(fields.vd + k);
    code.simdMemory(simd.store, REGISTER * k);
  }
  f.release(I32, host);
}

function planStore(eew: number, groups: number, { longest }: VectorType): Plan {
  return {
    writes: 0,
    emit(context) {
      if (groups > 0 || (groups === 0 && context.unit.isLongest)) {
        context.requireLongest();
        emitStores(context, groupLength(groups));
      } else emitPart(context, eew, longest << eew);
    },
  };
}

const PARTS: ReadonlyMap<number, readonly [load: number, store: number]> = new Map([
  [1, [wasm.i32Load8U, wasm.i32Store8]],
  [2, [wasm.i32Load16U, wasm.i32Store16]],
  [4, [wasm.i32Load, wasm.i32Store]],
  [8, [wasm.i64Load, wasm.i64Store]],
]);

/** Stores a register's elements up to the length, at once or one by one. @param bytes of VLMAX elements */
function emitPart(context: VectorContext, eew: number, bytes: number): void {
  const { code, f, unit, fields, type } = context;
  const host = f.borrow(I32);
  context.requireLength();
  findHost(context, host, bytes, WRITING);
  code.get(unit.length);
  code.i32(type.longest);
  code.op(wasm.i32Eq);
  code.if();
  code.get(host);
  if (bytes === REGISTER) {
    unit.get(fields.vd);
    code.simdMemory(simd.store, 0);
  } else copyPart(context, bytes);
  code.else();
  storeElements(context, host, 1 << eew);
  code.end();
  f.release(I32, host);
}

/** Stores the first bytes of vd at the address on the stack. */
function copyPart({ code, fields }: VectorContext, bytes: number): void {
  const [load, store] = PARTS.get(bytes) as readonly [number, number];
  code.get(HART);
  code.memory(load, addressOf(fields.vd));
  code.memory(store, 0);
}

function storeElements(context: VectorContext, host: number, size: number): void {
  const { code, f, unit, fields } = context;
  const [load, store] = PARTS.get(size) as readonly [number, number];
  const left = f.borrow(I32);
  const from = f.borrow(I32);
  code.get(unit.length);
  code.set(left);
  code.get(HART);
  code.set(from);
  const done = code.block();
  const top = code.loop();
  code.get(left);
  code.op(wasm.i32Eqz);
  code.brIf(done);
  code.get(host);
  code.get(from);
  code.memory(load, addressOf(fields.vd));
  code.memory(store, 0);
  for (const local of [host, from]) {
    code.get(local);
    code.i32(size);
    code.op(wasm.i32Add);
    code.set(local);
  }
  code.get(left);
  code.i32(1);
  code.op(wasm.i32Sub);
  code.set(left);
  code.br(top);
  code.end();
  code.end();
  f.release(I32, left, from);
}

/** The A extension. Each operation is one WebAssembly atomic on the shared memory. */
import { H_RESERVED, RESERVED_VALUE, RESERVED_WIDTH } from '../../layout';
import { AtomicOp, U_RD, U_RS1, U_RS2 } from './opcodes';
import { atomicAddress } from './access';
import { Access } from './pmp';
import { faultCode } from './state';

export function dropReservation(hart: usize): void {
  store<u32>(hart, 0, H_RESERVED);
}

/** Executes the LR, SC or AMO at `u`. Returns false, with the fault set, if it faults. */
export function executeAtomic(hart: usize, u: usize): bool {
  const va = load<u64>(hart + load<u16>(u, U_RS1));
  const operand = load<u64>(hart + load<u16>(u, U_RS2));
  const result = atomicOperation(hart, <i32>load<u16>(u), va, operand);
  if (faultCode) return false;
  store<u64>(hart + load<u16>(u, U_RD), result);
  return true;
}

/** The result of one of LR_W … AMOMAXU_D. Sets the fault. */
function atomicOperation(hart: usize, op: i32, va: u64, operand: u64): u64 {
  const double = op >= AtomicOp.LR_D;
  const access = op == AtomicOp.LR_W || op == AtomicOp.LR_D ? Access.LOAD : Access.STORE;
  const address = atomicAddress(hart, va, double ? 8 : 4, access);
  if (faultCode) return 0;
  return double
    ? amo64(hart, op - AtomicOp.LR_D, address, operand)
    : <u64>(<i64>(<i32>amo32(hart, op - AtomicOp.LR_W, address, <u32>operand)));
}

function reserve(hart: usize, address: usize, width: i32, value: u64): void {
  store<u32>(hart, <u32>address, H_RESERVED);
  store<i32>(hart, width, RESERVED_WIDTH);
  store<u64>(hart, value, RESERVED_VALUE);
}

function holdsReservation(hart: usize, address: usize, width: i32): bool {
  const holds = load<u32>(hart, H_RESERVED) == <u32>address && load<i32>(hart, RESERVED_WIDTH) == width;
  dropReservation(hart);
  return holds;
}

/** Functions in the order of AtomicOp. SC returns 0 for success, 1 for failure. */
function amo32(hart: usize, f: i32, address: usize, operand: u32): u32 {
  switch (f) {
    case 0: {
      const value = atomic.load<u32>(address);
      reserve(hart, address, 4, value);
      return value;
    }
    case 1: {
      if (!holdsReservation(hart, address, 4)) return 1;
      const expected = load<u32>(hart, RESERVED_VALUE);
      return atomic.cmpxchg<u32>(address, expected, operand) == expected ? 0 : 1;
    }
    case 2:
      return atomic.xchg<u32>(address, operand);
    case 3:
      return atomic.add<u32>(address, operand);
    case 4:
      return atomic.xor<u32>(address, operand);
    case 5:
      return atomic.and<u32>(address, operand);
    case 6:
      return atomic.or<u32>(address, operand);
  }
  let old = atomic.load<u32>(address);
  while (true) {
    const seen = atomic.cmpxchg<u32>(address, old, choose32(f, old, operand));
    if (seen == old) return old;
    old = seen;
  }
}

function choose32(f: i32, a: u32, b: u32): u32 {
  switch (f) {
    case 7:
      return <i32>a < <i32>b ? a : b;
    case 8:
      return <i32>a > <i32>b ? a : b;
    case 9:
      return a < b ? a : b;
    default:
      return a > b ? a : b;
  }
}

function amo64(hart: usize, f: i32, address: usize, operand: u64): u64 {
  switch (f) {
    case 0: {
      const value = atomic.load<u64>(address);
      reserve(hart, address, 8, value);
      return value;
    }
    case 1: {
      if (!holdsReservation(hart, address, 8)) return 1;
      const expected = load<u64>(hart, RESERVED_VALUE);
      return atomic.cmpxchg<u64>(address, expected, operand) == expected ? 0 : 1;
    }
    case 2:
      return atomic.xchg<u64>(address, operand);
    case 3:
      return atomic.add<u64>(address, operand);
    case 4:
      return atomic.xor<u64>(address, operand);
    case 5:
      return atomic.and<u64>(address, operand);
    case 6:
      return atomic.or<u64>(address, operand);
  }
  let old = atomic.load<u64>(address);
  while (true) {
    const seen = atomic.cmpxchg<u64>(address, old, choose64(f, old, operand));
    if (seen == old) return old;
    old = seen;
  }
}

function choose64(f: i32, a: u64, b: u64): u64 {
  switch (f) {
    case 7:
      return <i64>a < <i64>b ? a : b;
    case 8:
      return <i64>a > <i64>b ? a : b;
    case 9:
      return a < b ? a : b;
    default:
      return a > b ? a : b;
  }
}

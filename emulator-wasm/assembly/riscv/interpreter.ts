/**
 * The interpreter: executes micro-ops until the instruction budget is spent. Everything that is
 * rare (TLB misses, CSRs, traps) is left to `slow.ts`, so that the loop stays small.
 */
import {
  EXIT_NOT_COMPILED,
  H_COMPILED,
  H_EXITS,
  H_FENCE,
  H_FRM,
  H_JUMPS,
  H_LEFT,
  H_MSTATUS,
  H_PC,
  STORE_TLB,
  TLB_MASK,
} from '../../layout';
import { findBlock, linkBlock, renewJump, renewPage, singleBlock } from './blocks';
import * as fpu from './fpu';
import * as integer from './integer';
import { sample } from './heat';
import { codeTlb, dataTlb, jumpEntry } from './tlb';
import {
  FarBranchOp,
  FarJumpOp,
  FloatMemoryOp,
  MemoryOp,
  NearBranchOp,
  NearJumpOp,
  PseudoOp,
  SystemOp,
  U_EXTRA,
  U_IMM,
  U_OFFSET,
  U_RD,
  U_RS1,
  U_RS2,
} from './opcodes';
import { executeSlow, illegalInstruction, nextPc, Outcome, setBudget } from './slow';
import { PAGE_MASK } from '../ram';
import { faultCode, faultValue, FS } from './state';
import { takeException } from './trap';

// The operands of a micro-op. The cases that the set-up inserts use them too.
@inline
function rs1(h: usize, p: usize): u64 {
  return load<u64>(h + load<u16>(p, U_RS1));
}
@inline
function rs2(h: usize, p: usize): u64 {
  return load<u64>(h + load<u16>(p, U_RS2));
}
@inline
function rs3(h: usize, p: usize): u64 {
  return load<u64>(h + load<u32>(p, U_IMM));
}
@inline
function rd(h: usize, p: usize, value: u64): void {
  store<u64>(h + load<u16>(p, U_RD), value);
}
@inline
function w1(h: usize, p: usize): u32 {
  return load<u32>(h + load<u16>(p, U_RS1));
}
@inline
function w2(h: usize, p: usize): u32 {
  return load<u32>(h + load<u16>(p, U_RS2));
}
@inline
function imm(p: usize): u64 {
  return <u64>(<i64>load<i32>(p, U_IMM));
}
@inline
function immw(p: usize): u32 {
  return load<u32>(p, U_IMM);
}

/** Offset of the instruction in its page, and of the one after it. */
@inline
function offsetOf(p: usize): u64 {
  return <u64>(load<u16>(p, U_OFFSET) & 0xffe);
}
@inline
function nextOffset(p: usize): u64 {
  const o = <u32>load<u16>(p, U_OFFSET);
  return <u64>((o & 0xffe) + 2 + ((o & 1) << 1));
}

@inline
function va(h: usize, p: usize): u64 {
  return rs1(h, p) + imm(p);
}
@inline
function loadEntry(tlb: usize, a: u64): usize {
  return tlb + ((<u32>a >>> 8) & TLB_MASK);
}
/** An access that would cross into the next page misses too. */
@inline
function hits(entry: usize, a: u64, size: u64): bool {
  return load<u64>(entry) == ((a + (size - 1)) & PAGE_MASK);
}
@inline
function hits8(entry: usize, a: u64): bool {
  return load<u64>(entry) == (a & PAGE_MASK);
}
@inline
function host(entry: usize, a: u64): usize {
  return <u32>a + load<u32>(entry, 8);
}

const SIGN: u64 = 1 << 63;
const BOX: u64 = 0xffff_ffff_0000_0000;
@inline
function box(a: u32): u64 {
  return BOX | a;
}

/** The instruction's rounding mode, 5 or more when it is invalid. */
@inline
function rounding(h: usize, p: usize): i32 {
  const rm = <i32>load<u16>(p, U_EXTRA);
  return rm == 7 ? load<i32>(h, H_FRM) : rm;
}

/** One in SAMPLED_EXITS + 1 exits to code that is not compiled is a sample of hot code. */
const SAMPLED_EXITS = 31;

/** Runs compiled code from its entry at `p` on. Returns the rest of the budget. H_PC is the next address. */
@inline
function runCompiled(h: usize, p: usize, tlb: usize, jumps: usize, pageVa: u64, count: i32): i32 {
  store<u32>(h, jumps, H_JUMPS);
  call_indirect<i32>(load<u32>(p, U_IMM), h, tlb, pageVa, count, load<u16>(p, U_EXTRA));
  const left = load<i32>(h, H_LEFT);
  store<u64>(h, load<u64>(h, H_COMPILED) + (count - left), H_COMPILED);
  return left;
}

/** Why the interpreter left the switch: for another block, or because the instruction needs more work. */
const enum Exit {
  JUMP,
  NEAR,
  COMPILED,
  SLOW,
  ILLEGAL,
}

/**
 * Runs from H_PC until about `budget` instructions have retired, exactly one if `single`;
 * leaves H_PC at the next instruction and returns how much of the budget is left (it may be overdrawn).
 */
export function interpret(h: usize, budget: i32, single: bool): i32 {
  let pc = load<u64>(h, H_PC);
  let count = budget;
  let tlb = dataTlb;
  let jumps = codeTlb;
  let pageVa = pc & PAGE_MASK;
  let p = single ? singleBlock(h, pc) : findBlock(h, pc);
  if (p == 0) {
    store<u64>(h, takeException(h, faultCode - 1, faultValue, pc), H_PC);
    return count;
  }
  let start = p;
  let exit: i32 = Exit.JUMP;
  while (true) {
    switch (<i32>load<u16>(p)) {
      case SystemOp.ILLEGAL:
        exit = Exit.ILLEGAL;
        break;
        // The set-up replaces this name by the cases that jit/cases.ts makes.
        INTEGER_AND_FLOAT_CASES;
      case MemoryOp.LB: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits8(e, a)) {
          rd(h, p, <u64>(<i64>load<i8>(host(e, a))));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.LH: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 2)) {
          rd(h, p, <u64>(<i64>load<i16>(host(e, a))));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.LW: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 4)) {
          rd(h, p, <u64>(<i64>load<i32>(host(e, a))));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.LD: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 8)) {
          rd(h, p, load<u64>(host(e, a)));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.LBU: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits8(e, a)) {
          rd(h, p, <u64>load<u8>(host(e, a)));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.LHU: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 2)) {
          rd(h, p, <u64>load<u16>(host(e, a)));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.LWU: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 4)) {
          rd(h, p, <u64>load<u32>(host(e, a)));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case FloatMemoryOp.FLW: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 4)) {
          rd(h, p, box(load<u32>(host(e, a))));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case FloatMemoryOp.FLD: {
        const a = va(h, p);
        const e = loadEntry(tlb, a);
        if (hits(e, a, 8)) {
          rd(h, p, load<u64>(host(e, a)));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.SB: {
        const a = va(h, p);
        const e = loadEntry(tlb, a) + STORE_TLB;
        if (hits8(e, a)) {
          store<u8>(host(e, a), <u8>rs2(h, p));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.SH: {
        const a = va(h, p);
        const e = loadEntry(tlb, a) + STORE_TLB;
        if (hits(e, a, 2)) {
          store<u16>(host(e, a), <u16>rs2(h, p));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.SW: {
        const a = va(h, p);
        const e = loadEntry(tlb, a) + STORE_TLB;
        if (hits(e, a, 4)) {
          store<u32>(host(e, a), <u32>rs2(h, p));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case MemoryOp.SD: {
        const a = va(h, p);
        const e = loadEntry(tlb, a) + STORE_TLB;
        if (hits(e, a, 8)) {
          store<u64>(host(e, a), rs2(h, p));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case FloatMemoryOp.FSW: {
        const a = va(h, p);
        const e = loadEntry(tlb, a) + STORE_TLB;
        if (hits(e, a, 4)) {
          store<u32>(host(e, a), <u32>rs2(h, p));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case FloatMemoryOp.FSD: {
        const a = va(h, p);
        const e = loadEntry(tlb, a) + STORE_TLB;
        if (hits(e, a, 8)) {
          store<u64>(host(e, a), rs2(h, p));
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      }
      case NearBranchOp.BEQ_NEAR:
        if (!(rs1(h, p) == rs2(h, p))) {
          p += 16;
          continue;
        }
        exit = Exit.NEAR;
        break;
      case NearBranchOp.BNE_NEAR:
        if (!(rs1(h, p) != rs2(h, p))) {
          p += 16;
          continue;
        }
        exit = Exit.NEAR;
        break;
      case NearBranchOp.BLT_NEAR:
        if (!(<i64>rs1(h, p) < <i64>rs2(h, p))) {
          p += 16;
          continue;
        }
        exit = Exit.NEAR;
        break;
      case NearBranchOp.BGE_NEAR:
        if (!(<i64>rs1(h, p) >= <i64>rs2(h, p))) {
          p += 16;
          continue;
        }
        exit = Exit.NEAR;
        break;
      case NearBranchOp.BLTU_NEAR:
        if (!(rs1(h, p) < rs2(h, p))) {
          p += 16;
          continue;
        }
        exit = Exit.NEAR;
        break;
      case NearBranchOp.BGEU_NEAR:
        if (!(rs1(h, p) >= rs2(h, p))) {
          p += 16;
          continue;
        }
        exit = Exit.NEAR;
        break;
      case FarBranchOp.BEQ_FAR:
        if (!(rs1(h, p) == rs2(h, p))) {
          p += 16;
          continue;
        }
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case FarBranchOp.BNE_FAR:
        if (!(rs1(h, p) != rs2(h, p))) {
          p += 16;
          continue;
        }
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case FarBranchOp.BLT_FAR:
        if (!(<i64>rs1(h, p) < <i64>rs2(h, p))) {
          p += 16;
          continue;
        }
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case FarBranchOp.BGE_FAR:
        if (!(<i64>rs1(h, p) >= <i64>rs2(h, p))) {
          p += 16;
          continue;
        }
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case FarBranchOp.BLTU_FAR:
        if (!(rs1(h, p) < rs2(h, p))) {
          p += 16;
          continue;
        }
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case FarBranchOp.BGEU_FAR:
        if (!(rs1(h, p) >= rs2(h, p))) {
          p += 16;
          continue;
        }
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case NearJumpOp.J_NEAR:
        exit = Exit.NEAR;
        break;
      case NearJumpOp.JAL_NEAR:
        rd(h, p, pageVa + offsetOf(p) + 4);
        exit = Exit.NEAR;
        break;
      case FarJumpOp.JAL_FAR:
        rd(h, p, pageVa + offsetOf(p) + 4);
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case FarJumpOp.JALR:
        pc = va(h, p) & ~1;
        rd(h, p, pageVa + nextOffset(p));
        exit = Exit.JUMP;
        break;
      case MemoryOp.FENCE:
        // The read-modify-write orders all accesses around it; asc cannot emit atomic.fence.
        atomic.add<u32>(h, 0, H_FENCE);
        p += 16;
        continue;
      case PseudoOp.FP_CHECK:
        if ((load<u64>(h, H_MSTATUS) & FS) == FS) {
          start += 16;
          p += 16;
          continue;
        }
        exit = Exit.SLOW;
        break;
      case PseudoOp.GOTO_NEAR:
        start += 16;
        exit = Exit.NEAR;
        break;
      case PseudoOp.GOTO_FAR:
        start += 16;
        pc = pageVa + imm(p);
        exit = Exit.JUMP;
        break;
      case PseudoOp.COMPILED:
        exit = Exit.COMPILED;
        break;
      default:
        exit = Exit.SLOW;
        break;
    }

    if (exit == Exit.NEAR) {
      count -= <i32>(p + 16 - start) >> 4;
      const target: usize = load<u32>(p, U_IMM);
      if (target && count > 0) {
        p = target;
        start = p;
        continue;
      }
      pc = pageVa + load<u16>(p, U_EXTRA);
      if (count <= 0) break;
      // linkBlock may throw away the decoded code and empty the jump caches, but the caches stay in place.
      p = linkBlock(h, pc, p);
      if (p) {
        start = p;
        continue;
      }
    } else {
      if (exit == Exit.COMPILED) {
        count = runCompiled(h, p, tlb, jumps, pageVa, count);
        pc = load<u64>(h, H_PC);
        if (pc & 1) {
          // The region leaves this instruction to the interpreter.
          pc ^= 1;
          renewPage(h, pc);
          p = singleBlock(h, pc);
          if (p) {
            start = p;
            pageVa = pc & PAGE_MASK;
            continue;
          }
          pc = takeException(h, faultCode - 1, faultValue, pc);
          break;
        }
        renewJump(jumps, pc);
        if (!(load<u32>(h, H_EXITS + 8 * EXIT_NOT_COMPILED) & SAMPLED_EXITS)) sample(h, pc, false);
      } else if (exit >= Exit.SLOW) {
        // Instructions before this one.
        count -= <i32>(p - start) >> 4;
        pc = pageVa + offsetOf(p);
        setBudget(h, count);
        const outcome = exit == Exit.SLOW ? executeSlow(h, p, pc) : illegalInstruction(h, pc);
        tlb = dataTlb;
        jumps = codeTlb;
        if (outcome == Outcome.NEXT) {
          start = p;
          p += 16;
          continue;
        }
        if (outcome == Outcome.PSEUDO) {
          p += 16;
          start = p;
          continue;
        }
        pc = nextPc;
        count--;
        if (single || outcome == Outcome.LEAVE) break;
      } else count -= <i32>(p + 16 - start) >> 4;
      if (count <= 0) break;
      const entry = jumpEntry(jumps, pc);
      p = load<u64>(entry) == pc ? load<u32>(entry, 8) : findBlock(h, pc);
      if (p) {
        start = p;
        pageVa = pc & PAGE_MASK;
        continue;
      }
    }
    pc = takeException(h, faultCode - 1, faultValue, pc);
    break;
  }
  store<u64>(h, pc, H_PC);
  return count;
}

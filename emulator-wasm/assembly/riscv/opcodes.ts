/**
 * Micro-ops: the decoder makes one of each instruction, and the interpreter executes it. 16 bytes:
 *
 *   +0  u16 operation
 *   +2  u16 rd   } offsets of the register from the hart's block;
 *   +4  u16 rs1  } rd = x0 is the sink
 *   +6  u16 rs2  }
 *   +8  i32 immediate; for a branch inside its page the address of the target's micro-op, or 0
 *   +12 u16 offset of the instruction in its page, bit 0: it is 4 bytes long
 *   +14 u16 target's offset in the page, rounding mode, zimm
 *
 * The micro-ops of a block lie one after the other, exactly one for each instruction, so that their
 * distance counts instructions; a pseudo-op is discounted when it executes.
 *
 * The enumeration that declares an operation is its kind, and everything that depends on the kind
 * follows from it: the functions below, and the types of the JIT's tables of emitters. The numbers of
 * all kinds follow each other without a gap, because the interpreter's switch is a table. A new
 * operation goes last in its enumeration.
 *
 * AssemblyScript and TypeScript share this file, so it uses the syntax and types of both.
 */
export const UOP_SIZE = 16;
export const U_RD = 2;
export const U_RS1 = 4;
export const U_RS2 = 6;
export const U_IMM = 8;
export const U_OFFSET = 12;
export const U_EXTRA = 14;

/** Instructions that end their block. slow.ts executes them. */
export const enum SystemOp {
  ILLEGAL,
  FENCE_I,
  ECALL,
  EBREAK,
  MRET,
  SRET,
  WFI,
  SFENCE_VMA,
  END,
}

/** Zihintpause, Zawrs. slow.ts executes it. */
export const enum HintOp {
  PAUSE = SystemOp.END,
  END,
}

/** Zicsr. slow.ts executes them. */
export const enum CsrOp {
  CSRRW = HintOp.END,
  CSRRS,
  CSRRC,
  CSRRWI,
  CSRRSI,
  CSRRCI,
  END,
}

/** Zicntr. slow.ts executes them. */
export const enum CounterOp {
  /** The immediate is the CSR: cycle, time or instret. */
  READ_COUNTER = CsrOp.END,
  END,
}

/** Zicbom, Zicboz. slow.ts executes them. */
export const enum CacheOp {
  CBO_INVAL = CounterOp.END,
  CBO_CLEAN,
  CBO_FLUSH,
  CBO_ZERO,
  END,
}

/** Zfhmin, Zfa: rare floating-point instructions. slow.ts executes them. */
export const enum RareFloatOp {
  FLH = CacheOp.END,
  FSH,
  FMV_X_H,
  FMV_H_X,
  FCVT_S_H,
  FCVT_H_S,
  FCVT_D_H,
  FCVT_H_D,
  FLI_S,
  FMINM_S,
  FMAXM_S,
  FROUND_S,
  FROUNDNX_S,
  FLEQ_S,
  FLTQ_S,
  FLI_D,
  FMINM_D,
  FMAXM_D,
  FROUND_D,
  FROUNDNX_D,
  FLEQ_D,
  FLTQ_D,
  FCVTMOD_W_D,
  END,
}

/** V. vector/ executes them. */
export const enum VectorOp {
  /** The immediate holds the instruction; the registers are the scalar ones. */
  VECTOR = RareFloatOp.END,
  /** The immediate is the CSR: vl, vtype or vlenb. */
  READ_VECTOR_CSR,
  END,
}

/** I, M, Zba, Zbb, Zbs, Zicond: from registers and an immediate to a register. */
export const enum IntegerOp {
  // Immediate
  LI = VectorOp.END,
  AUIPC,
  ADDI,
  SLTI,
  SLTIU,
  XORI,
  ORI,
  ANDI,
  SLLI,
  SRLI,
  SRAI,
  ADDIW,
  SLLIW,
  SRLIW,
  SRAIW,
  MV,
  // Register
  ADD,
  SUB,
  SLL,
  SLT,
  SLTU,
  XOR,
  SRL,
  SRA,
  OR,
  AND,
  ADDW,
  SUBW,
  SLLW,
  SRLW,
  SRAW,
  // M
  MUL,
  MULH,
  MULHSU,
  MULHU,
  DIV,
  DIVU,
  REM,
  REMU,
  MULW,
  DIVW,
  DIVUW,
  REMW,
  REMUW,
  // Zba
  ADD_UW,
  SH1ADD,
  SH2ADD,
  SH3ADD,
  SH1ADD_UW,
  SH2ADD_UW,
  SH3ADD_UW,
  SLLI_UW,
  // Zbb
  ANDN,
  ORN,
  XNOR,
  CLZ,
  CLZW,
  CTZ,
  CTZW,
  CPOP,
  CPOPW,
  MAX,
  MAXU,
  MIN,
  MINU,
  SEXT_B,
  SEXT_H,
  ZEXT_H,
  ROL,
  ROLW,
  ROR,
  RORW,
  RORI,
  RORIW,
  ORC_B,
  REV8,
  // Zbs
  BCLR,
  BEXT,
  BINV,
  BSET,
  BCLRI,
  BEXTI,
  BINVI,
  BSETI,
  // Zicond
  CZERO_EQZ,
  CZERO_NEZ,
  END,
}

/** Loads and stores of integer registers, and the order of all accesses. */
export const enum MemoryOp {
  FENCE = IntegerOp.END,
  LB,
  LH,
  LW,
  LD,
  LBU,
  LHU,
  LWU,
  SB,
  SH,
  SW,
  SD,
  END,
}

/** Loads and stores of floating-point registers. */
export const enum FloatMemoryOp {
  FLW = MemoryOp.END,
  FLD,
  FSW,
  FSD,
  END,
}

/** A. */
export const enum AtomicOp {
  LR_W = FloatMemoryOp.END,
  SC_W,
  AMOSWAP_W,
  AMOADD_W,
  AMOXOR_W,
  AMOAND_W,
  AMOOR_W,
  AMOMIN_W,
  AMOMAX_W,
  AMOMINU_W,
  AMOMAXU_W,
  LR_D,
  SC_D,
  AMOSWAP_D,
  AMOADD_D,
  AMOXOR_D,
  AMOAND_D,
  AMOOR_D,
  AMOMIN_D,
  AMOMAX_D,
  AMOMINU_D,
  AMOMAXU_D,
  END,
}

/** F and D, except loads and stores. */
export const enum FloatOp {
  FADD_S = AtomicOp.END,
  FSUB_S,
  FMUL_S,
  FDIV_S,
  FSQRT_S,
  FMADD_S,
  FMSUB_S,
  FNMSUB_S,
  FNMADD_S,
  FSGNJ_S,
  FSGNJN_S,
  FSGNJX_S,
  FMIN_S,
  FMAX_S,
  FEQ_S,
  FLT_S,
  FLE_S,
  FCLASS_S,
  FCVT_W_S,
  FCVT_WU_S,
  FCVT_L_S,
  FCVT_LU_S,
  FCVT_S_W,
  FCVT_S_WU,
  FCVT_S_L,
  FCVT_S_LU,
  FCVT_S_D,
  FMV_X_W,
  FMV_W_X,
  FADD_D,
  FSUB_D,
  FMUL_D,
  FDIV_D,
  FSQRT_D,
  FMADD_D,
  FMSUB_D,
  FNMSUB_D,
  FNMADD_D,
  FSGNJ_D,
  FSGNJN_D,
  FSGNJX_D,
  FMIN_D,
  FMAX_D,
  FEQ_D,
  FLT_D,
  FLE_D,
  FCLASS_D,
  FCVT_W_D,
  FCVT_WU_D,
  FCVT_L_D,
  FCVT_LU_D,
  FCVT_D_W,
  FCVT_D_WU,
  FCVT_D_L,
  FCVT_D_LU,
  FCVT_D_S,
  FMV_X_D,
  FMV_D_X,
  END,
}

/** Branches whose target lies in the same page. */
export const enum NearBranchOp {
  BEQ_NEAR = FloatOp.END,
  BNE_NEAR,
  BLT_NEAR,
  BGE_NEAR,
  BLTU_NEAR,
  BGEU_NEAR,
  END,
}

/** All other branches, by the same conditions in the same order. */
export const enum FarBranchOp {
  BEQ_FAR = NearBranchOp.END,
  BNE_FAR,
  BLT_FAR,
  BGE_FAR,
  BLTU_FAR,
  BGEU_FAR,
  END,
}

/** Jumps whose target lies in the same page. */
export const enum NearJumpOp {
  J_NEAR = FarBranchOp.END,
  JAL_NEAR,
  END,
}

/** All other jumps. */
export const enum FarJumpOp {
  JAL_FAR = NearJumpOp.END,
  JALR,
  END,
}

/** Micro-ops that the decoder and the JIT put between instructions. */
export const enum PseudoOp {
  /** The block continues at U_EXTRA in the same page. */
  GOTO_NEAR = FarJumpOp.END,
  /** The block continues at the immediate, in bytes from the start of the page. */
  GOTO_FAR,
  /** Floating-point instructions follow: mstatus.FS must not be Off, and becomes Dirty. */
  FP_CHECK,
  /** The second half of the next micro-op's instruction is in the next page. The immediate holds its bits. */
  STRADDLE,
  /** A compiled region can be entered here. The immediate is the region, U_EXTRA the number of the entry. */
  COMPILED,
  END,
}

/** Loads, stores and fences. */
export function isMemory(op: i32): bool {
  return op >= MemoryOp.FENCE && op < FloatMemoryOp.END;
}

export function isAtomic(op: i32): bool {
  return op >= AtomicOp.LR_W && op < AtomicOp.END;
}

export function isCsr(op: i32): bool {
  return op >= CsrOp.CSRRW && op < CsrOp.END;
}

/** Whether the instruction needs mstatus.FS. */
export function isFloat(op: i32): bool {
  return (
    (op >= FloatMemoryOp.FLW && op < FloatMemoryOp.END) ||
    (op >= FloatOp.FADD_S && op < FloatOp.END) ||
    isRareFloat(op)
  );
}

export function isRareFloat(op: i32): bool {
  return op >= RareFloatOp.FLH && op < RareFloatOp.END;
}

export function isCache(op: i32): bool {
  return op >= CacheOp.CBO_INVAL && op < CacheOp.END;
}

export function isBranch(op: i32): bool {
  return op >= NearBranchOp.BEQ_NEAR && op < FarBranchOp.END;
}

export function isJump(op: i32): bool {
  return op >= NearJumpOp.J_NEAR && op < FarJumpOp.END;
}

/** Whether it branches or jumps to a target in the same page. */
export function isNear(op: i32): bool {
  return (
    (op >= NearBranchOp.BEQ_NEAR && op < NearBranchOp.END) || (op >= NearJumpOp.J_NEAR && op < NearJumpOp.END)
  );
}

/** Whether the decoded block must end after this instruction. */
export function endsBlock(op: i32): bool {
  return op < SystemOp.END || isJump(op);
}

/** Expands compressed instructions (C, Zcb, Zcmop) to their 32-bit form. */

@inline
function wide(c: u32, at: u32): u32 {
  return (c >>> at) & 31;
}
/** The three-bit register fields name x8 to x15. */
@inline
function short(c: u32, at: u32): u32 {
  return ((c >>> at) & 7) + 8;
}
@inline
function bits(c: u32, from: u32, width: u32, to: u32): u32 {
  return ((c >>> from) & ((1 << width) - 1)) << to;
}

@inline
function iType(opcode: u32, funct3: u32, rd: u32, rs1: u32, imm: i32): u32 {
  return opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | ((<u32>imm) << 20);
}
@inline
function rType(opcode: u32, funct3: u32, funct7: u32, rd: u32, rs1: u32, rs2: u32): u32 {
  return opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | (funct7 << 25);
}
@inline
function sType(opcode: u32, funct3: u32, rs1: u32, rs2: u32, imm: u32): u32 {
  return opcode | ((imm & 31) << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | ((imm >>> 5) << 25);
}

const LOAD: u32 = 0x03;
const LOAD_FP: u32 = 0x07;
const OP_IMM: u32 = 0x13;
const OP_IMM_32: u32 = 0x1b;
const STORE: u32 = 0x23;
const STORE_FP: u32 = 0x27;
const OP: u32 = 0x33;
const LUI: u32 = 0x37;
const OP_32: u32 = 0x3b;
const BRANCH: u32 = 0x63;
const JALR: u32 = 0x67;
const JAL: u32 = 0x6f;
const EBREAK: u32 = 0x0010_0073;
/** All ones is defined to be illegal in every length. */
const ILLEGAL: u32 = 0xffff_ffff;

export function expand(c: u32): u32 {
  switch (c & 3) {
    case 0:
      return quadrant0(c);
    case 1:
      return quadrant1(c);
    default:
      return quadrant2(c);
  }
}

function quadrant0(c: u32): u32 {
  const rd = short(c, 2);
  const rs1 = short(c, 7);
  const word = bits(c, 10, 3, 3) | bits(c, 6, 1, 2) | bits(c, 5, 1, 6);
  const double = bits(c, 10, 3, 3) | bits(c, 5, 2, 6);
  switch (c >>> 13) {
    case 0: {
      const imm = bits(c, 11, 2, 4) | bits(c, 7, 4, 6) | bits(c, 6, 1, 2) | bits(c, 5, 1, 3);
      return imm == 0 ? ILLEGAL : iType(OP_IMM, 0, rd, 2, imm);
    }
    case 1:
      return iType(LOAD_FP, 3, rd, rs1, double);
    case 2:
      return iType(LOAD, 2, rd, rs1, word);
    case 3:
      return iType(LOAD, 3, rd, rs1, double);
    case 4:
      return narrowMemory(c, rd, rs1);
    case 5:
      return sType(STORE_FP, 3, rs1, rd, double);
    case 6:
      return sType(STORE, 2, rs1, rd, word);
    case 7:
      return sType(STORE, 3, rs1, rd, double);
    default:
      return ILLEGAL;
  }
}

/** Zcb: loads and stores of bytes and halfwords. */
function narrowMemory(c: u32, rd: u32, rs1: u32): u32 {
  const half = bits(c, 5, 1, 1);
  const byte = half | bits(c, 6, 1, 0);
  const bit6 = (c >>> 6) & 1;
  switch ((c >>> 10) & 7) {
    case 0:
      return iType(LOAD, 4, rd, rs1, byte);
    case 1:
      return iType(LOAD, bit6 ? 1 : 5, rd, rs1, half);
    case 2:
      return sType(STORE, 0, rs1, rd, byte);
    case 3:
      return bit6 ? ILLEGAL : sType(STORE, 1, rs1, rd, half);
    default:
      return ILLEGAL;
  }
}

function quadrant1(c: u32): u32 {
  const rd = wide(c, 7);
  const imm6 = ((<i32>(c << 19) >> 31) << 5) | <i32>wide(c, 2);
  switch (c >>> 13) {
    case 0:
      return iType(OP_IMM, 0, rd, rd, imm6);
    case 1:
      return rd == 0 ? ILLEGAL : iType(OP_IMM_32, 0, rd, rd, imm6);
    case 2:
      return iType(OP_IMM, 0, rd, 0, imm6);
    case 3:
      if (rd == 2) return addi16sp(c);
      if (imm6 == 0) return isMayBeOperation(rd) ? iType(OP_IMM, 0, 0, 0, 0) : ILLEGAL;
      return LUI | (rd << 7) | ((<u32>imm6) << 12);
    case 4:
      return arithmetic(c, imm6);
    case 5:
      return jump(c);
    case 6:
      return branch(c, 0);
    default:
      return branch(c, 1);
  }
}

/** Zcmop: c.mop.1, c.mop.3 … c.mop.15 do nothing. */
@inline
function isMayBeOperation(rd: u32): bool {
  return rd < 16 && (rd & 1) == 1;
}

function addi16sp(c: u32): u32 {
  const imm =
    ((<i32>(c << 19) >> 31) << 9) |
    <i32>(bits(c, 6, 1, 4) | bits(c, 5, 1, 6) | bits(c, 3, 2, 7) | bits(c, 2, 1, 5));
  return imm == 0 ? ILLEGAL : iType(OP_IMM, 0, 2, 2, imm);
}

function arithmetic(c: u32, imm6: i32): u32 {
  const rd = short(c, 7);
  const rs2 = short(c, 2);
  switch ((c >>> 10) & 3) {
    case 0:
      return iType(OP_IMM, 5, rd, rd, imm6 & 63);
    case 1:
      return iType(OP_IMM, 5, rd, rd, (imm6 & 63) | 0x400);
    case 2:
      return iType(OP_IMM, 7, rd, rd, imm6);
  }
  switch (((c >>> 10) & 4) | ((c >>> 5) & 3)) {
    case 0:
      return rType(OP, 0, 0x20, rd, rd, rs2);
    case 1:
      return rType(OP, 4, 0, rd, rd, rs2);
    case 2:
      return rType(OP, 6, 0, rd, rd, rs2);
    case 3:
      return rType(OP, 7, 0, rd, rd, rs2);
    case 4:
      return rType(OP_32, 0, 0x20, rd, rd, rs2);
    case 5:
      return rType(OP_32, 0, 0, rd, rd, rs2);
    case 6:
      return rType(OP, 0, 1, rd, rd, rs2);
    default:
      return unary(c, rd);
  }
}

/** Zcb: extensions and complement. */
function unary(c: u32, rd: u32): u32 {
  switch ((c >>> 2) & 7) {
    case 0:
      return iType(OP_IMM, 7, rd, rd, 0xff);
    case 1:
      return iType(OP_IMM, 1, rd, rd, 0x604);
    case 2:
      return rType(OP_32, 4, 4, rd, rd, 0);
    case 3:
      return iType(OP_IMM, 1, rd, rd, 0x605);
    case 4:
      return rType(OP_32, 0, 4, rd, rd, 0);
    case 5:
      return iType(OP_IMM, 4, rd, rd, -1);
    default:
      return ILLEGAL;
  }
}

function jump(c: u32): u32 {
  const imm =
    ((<i32>(c << 19) >> 31) << 11) |
    <i32>(
      (bits(c, 11, 1, 4) |
        bits(c, 9, 2, 8) |
        bits(c, 8, 1, 10) |
        bits(c, 7, 1, 6) |
        bits(c, 6, 1, 7) |
        bits(c, 3, 3, 1) |
        bits(c, 2, 1, 5))
    );
  return (
    JAL |
    (<u32>imm & 0xff000) |
    ((<u32>imm & 0x800) << 9) |
    ((<u32>imm & 0x7fe) << 20) |
    (((<u32>imm >>> 20) & 1) << 31)
  );
}

function branch(c: u32, funct3: u32): u32 {
  const imm =
    ((<i32>(c << 19) >> 31) << 8) |
    <i32>(bits(c, 10, 2, 3) | bits(c, 5, 2, 6) | bits(c, 3, 2, 1) | bits(c, 2, 1, 5));
  return (
    BRANCH |
    (funct3 << 12) |
    (short(c, 7) << 15) |
    ((<u32>imm & 0x1e) << 7) |
    ((<u32>imm & 0x800) >>> 4) |
    ((<u32>imm & 0x7e0) << 20) |
    (((<u32>imm >>> 12) & 1) << 31)
  );
}

function quadrant2(c: u32): u32 {
  const rd = wide(c, 7);
  const rs2 = wide(c, 2);
  const word = bits(c, 12, 1, 5) | bits(c, 4, 3, 2) | bits(c, 2, 2, 6);
  const double = bits(c, 12, 1, 5) | bits(c, 5, 2, 3) | bits(c, 2, 3, 6);
  const storeWord = bits(c, 9, 4, 2) | bits(c, 7, 2, 6);
  const storeDouble = bits(c, 10, 3, 3) | bits(c, 7, 3, 6);
  switch (c >>> 13) {
    case 0:
      return iType(OP_IMM, 1, rd, rd, bits(c, 12, 1, 5) | rs2);
    case 1:
      return iType(LOAD_FP, 3, rd, 2, double);
    case 2:
      return rd == 0 ? ILLEGAL : iType(LOAD, 2, rd, 2, word);
    case 3:
      return rd == 0 ? ILLEGAL : iType(LOAD, 3, rd, 2, double);
    case 4:
      return registerForms(c, rd, rs2);
    case 5:
      return sType(STORE_FP, 3, 2, rs2, storeDouble);
    case 6:
      return sType(STORE, 2, 2, rs2, storeWord);
    default:
      return sType(STORE, 3, 2, rs2, storeDouble);
  }
}

function registerForms(c: u32, rd: u32, rs2: u32): u32 {
  const link = (c >>> 12) & 1;
  if (rs2 != 0) return rType(OP, 0, 0, rd, link ? rd : 0, rs2);
  if (rd != 0) return iType(JALR, 0, link, rd, 0);
  return link ? EBREAK : ILLEGAL;
}

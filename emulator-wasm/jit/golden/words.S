# Words: a rotation from two shifts needs no sign extension. A register is extended where 64 bits of it are
# read, stored, or needed behind the block. A division extends its operands before its ways part.
  lw a0, 0(a1)
  addw a0, a0, a2
  xor a3, a3, a0
  slliw a4, a3, 7
  srliw a5, a3, 25
  or a3, a4, a5
  sw a0, 4(a1)
  add a6, a0, a1
  addw a7, a6, a2
  rem a7, a7, a6
  ecall

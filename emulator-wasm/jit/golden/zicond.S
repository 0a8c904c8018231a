# Conditional zero is a select. The assembler does not know czero.eqz and czero.nez.
  .insn r 0x33, 5, 7, a0, a1, a2
  .insn r 0x33, 7, 7, a3, a1, a2
  ecall

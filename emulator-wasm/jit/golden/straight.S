# Arithmetic without memory or jumps: a register that is read twice is kept in a local, and every register
# that is written is stored at the end.
  addi a0, a1, -1
  add a2, a0, a0
  sltu a3, a2, a1
  sraiw a4, a2, 5
  sh2add a5, a3, a4
  andn a0, a5, a2
  add zero, a0, a1
  ecall

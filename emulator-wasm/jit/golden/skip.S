# A branch over a few operations: they are executed always, and their results chosen. So are the instructions
# that count. Both values of a0 are words, those of a1 are not.
  addw a0, a0, a2
  beqz a3, skipped
  addiw a0, a0, 1
  add a1, a1, a0
skipped:
  sub a4, a0, a1
  ecall

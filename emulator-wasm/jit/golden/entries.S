# A loop within a loop, and several entries: a switch at the top of the region chooses among them.
outer:
  addi a1, a0, 8
inner:
  addi a1, a1, -1
  sb a1, 0(a2)
  bnez a1, inner
  addi a0, a0, -1
  jal helper
returned:
  bnez a0, outer
  ecall
helper:
  ret

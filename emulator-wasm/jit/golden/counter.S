# The core reads the counters, told how much of the budget is left.
loop:
  addi a0, a0, -1
  rdtime a1
  add a2, a2, a1
  bnez a0, loop

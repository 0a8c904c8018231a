# What is left to the interpreter ends a block, and the code behind it is a region of its own.
  addi a0, a0, 1
  csrr a1, cycle
behind:
  addi a0, a0, 2
  j behind

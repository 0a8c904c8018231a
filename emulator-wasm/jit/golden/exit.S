# An instruction that is left to the interpreter ends its block. The code behind it is a region of its own.
  addi a0, a0, 1
  csrr a1, sscratch
behind:
  addi a0, a0, 2
  j behind

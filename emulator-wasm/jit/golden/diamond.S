# Two paths that meet again: a register that is in a local on both stays there.
  lw a1, 0(a0)
  beqz a1, otherwise
  addi a2, a1, 1
  j after
otherwise:
  li a2, 5
after:
  add a0, a1, a2
  ecall

# A jump by table: more than six targets, so that there is one switch for the region.
  lw a1, 0(a0)
  jr a1
case0:
  li a0, 0
  ecall
case1:
  li a0, 1
  ecall
case2:
  li a0, 2
  ecall
case3:
  li a0, 3
  ecall
case4:
  li a0, 4
  ecall
case5:
  li a0, 5
  ecall
case6:
  li a0, 6
  ecall

# A call inside the region, and the return that compares with where calls return to.
  jal function
after_first:
  addi a0, a0, 1
  jal function
after_second:
  ecall
function:
  slli a0, a0, 1
  ret

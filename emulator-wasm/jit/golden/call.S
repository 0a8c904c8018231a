# Calls inside the region, and a return that compares its target with the places that follow the calls.
  jal function
after_first:
  addi a0, a0, 1
  jal function
after_second:
  ecall
function:
  slli a0, a0, 1
  ret

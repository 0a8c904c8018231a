# A call of a function elsewhere, behind which the region continues if the function returns there.
  jalr ra, 8(a0)
behind:
  addi a0, a0, 1
  ret

# One look-up serves loads in later blocks, too. A store on one way only needs another, because the page may be
# read-only.
  li a4, 1
  lw a1, 16(a0)
  beqz a1, otherwise
  ld a2, 0(a0)
  j after
otherwise:
  ld a2, 8(a0)
after:
  beqz a2, end
  sd a1, 24(a0)
end:
  ecall

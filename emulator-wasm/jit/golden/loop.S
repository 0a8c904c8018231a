# A loop that copies: its registers are in locals, and each access remembers its page.
copy:
  ld a3, 0(a0)
  sd a3, 0(a1)
  addi a0, a0, 8
  addi a1, a1, 8
  bltu a0, a2, copy
  ret

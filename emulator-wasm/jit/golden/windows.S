# Outside of loops one look into the TLB serves all accesses through a register that stays the same.
  ld a0, 0(sp)
  ld a1, 8(sp)
  sw a0, 16(sp)
  lbu a2, 0(a1)
  addi sp, sp, 32
  ld a3, 0(sp)
  ecall

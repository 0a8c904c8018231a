# A single that was computed stays in a local of its own, and is boxed for the register's memory. Registers that
# may hold something else are tested once.
  flw fa0, 0(a0)
  fmul.s fa1, fa0, fa2
  fcvt.w.s a1, fa1, rtz
  fsw fa1, 0(a0)
  ecall

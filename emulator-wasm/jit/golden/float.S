# Floating point: mstatus.FS is checked once, and the host's result stands where it raises no flag. A register
# that should hold a single is tested for the box.
  fld fa0, 0(a0)
  fadd.d fa1, fa0, fa0
  fmul.d fa2, fa1, fa0
  flt.d a1, fa2, fa0
  fadd.s fa3, fa0, fa1
  ecall

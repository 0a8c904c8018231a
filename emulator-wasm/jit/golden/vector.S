# Copies bytes up to a 0, and adds a multiple of singles to others.
strings:
  vsetvli t0, zero, e8, m1, ta, ma
  vle8ff.v v8, (a1)
  csrr t0, vl
  vmseq.vi v1, v8, 0
  vse8.v v8, (a0)
  vfirst.m a2, v1
  add a1, a1, t0
  add a0, a0, t0
  bltz a2, strings
numbers:
  vsetvli t0, a3, e32, m1, ta, ma
  vle32.v v8, (a4)
  vle32.v v9, (a5)
  vfmacc.vf v9, fa0, v8
  vse32.v v9, (a5)
  sub a3, a3, t0
  bnez a3, numbers
# The core executes this one.
  vrgather.vv v2, v8, v9
  ret

# Atomics are calls of the core, which may leave them to the interpreter; a fence is an instruction.
  amoadd.d a0, a1, (a2)
  fence
  lr.w a3, (a2)
  sc.w zero, a3, (a2)
  ecall

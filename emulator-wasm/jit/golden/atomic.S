# Atomics are atomics of WebAssembly, and the interpreter executes those that fault. A fence is an instruction.
  amoadd.d a0, a1, (a2)
  fence
  lr.w a3, (a2)
  sc.w zero, a3, (a2)
  ecall

# Divisions are defined where those of WebAssembly trap: by 0, and of the least integer by -1.
  div a0, a1, a2
  remu a3, a1, a2
  remw a4, a1, a2
  mulhu a5, a1, a2
  ecall

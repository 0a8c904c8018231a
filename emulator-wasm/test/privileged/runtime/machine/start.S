# Where every hart begins, in M-mode, and the trap vectors of M-mode and S-mode.

#define FRAME 272

  .section .text.start
  .globl _start
_start:
  csrr  s0, mhartid
  lla   t0, m_vector
  csrw  mtvec, t0
  lla   sp, stacks            # of each hart: 8 KiB to run on, 4 KiB for M-mode's traps
  li    t0, 12288
  addi  t1, s0, 1
  mul   t0, t0, t1
  add   sp, sp, t0
  csrw  mscratch, sp
  li    t0, 4096
  sub   sp, sp, t0
  li    t0, 0x2000            # FS = Initial
  csrs  mstatus, t0
  li    t0, -1                # all of memory open to S and U
  csrw  pmpaddr0, t0
  li    t0, 0x1f
  csrw  pmpcfg0, t0
  bnez  s0, 2f
  lla   t0, bss_start
  lla   t1, bss_end
1:
  sd    zero, 0(t0)
  addi  t0, t0, 8
  bltu  t0, t1, 1b
  fence rw, rw
  li    t0, 1
  lla   t1, memory_ready
  sw    t0, 0(t1)
  call  begin
2:
  lla   t1, memory_ready
  lw    t0, 0(t1)
  beqz  t0, 2b
  fence rw, rw
  mv    a0, s0
  call  secondary
3:
  wfi
  j     3b

  .weak secondary
secondary:
  ret

# u64 run_in(u64 privilege, u64 (*function)(u64), u64 argument, u64 offset):
# calls the function in S or U, code and stack moved by `offset`, with MIE off; traps still come here.
  .text
  .globl run_in
run_in:
  addi  sp, sp, -112
  sd    ra, 0(sp)
  sd    s0, 8(sp)
  sd    s1, 16(sp)
  sd    s2, 24(sp)
  sd    s3, 32(sp)
  sd    s4, 40(sp)
  sd    s5, 48(sp)
  sd    s6, 56(sp)
  sd    s7, 64(sp)
  sd    s8, 72(sp)
  sd    s9, 80(sp)
  sd    s10, 88(sp)
  sd    s11, 96(sp)
  lla   t0, run_in_stack
  sd    sp, 0(t0)
  lla   t0, privilege
  sd    a0, 0(t0)
  li    t0, 0x1880            # MPP, MPIE
  csrc  mstatus, t0
  slli  a0, a0, 11
  csrs  mstatus, a0
  add   a1, a1, a3
  csrw  mepc, a1
  lla   ra, 1f
  add   ra, ra, a3
  add   sp, sp, a3
  mv    a0, a2
  mret
1:
  li    a7, 0x100             # CALL_RETURN
  ecall

# The handler of that ecall continues here in M-mode, with the result in a0.
  .globl run_in_end
run_in_end:
  lla   t0, privilege
  li    t1, 3
  sd    t1, 0(t0)
  lla   t0, run_in_stack
  ld    sp, 0(t0)
  ld    ra, 0(sp)
  ld    s0, 8(sp)
  ld    s1, 16(sp)
  ld    s2, 24(sp)
  ld    s3, 32(sp)
  ld    s4, 40(sp)
  ld    s5, 48(sp)
  ld    s6, 56(sp)
  ld    s7, 64(sp)
  ld    s8, 72(sp)
  ld    s9, 80(sp)
  ld    s10, 88(sp)
  ld    s11, 96(sp)
  addi  sp, sp, 112
  ret

.macro vector mode, handler
  csrrw sp, \mode\()scratch, sp
  addi  sp, sp, -FRAME
  .irp  n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sd    x\n, 8 * \n(sp)
  .endr
  csrr  t0, \mode\()scratch
  sd    t0, 16(sp)
  csrr  t0, \mode\()epc
  sd    t0, 256(sp)
  csrr  t0, \mode\()status
  sd    t0, 264(sp)
  mv    a0, sp
  call  \handler
  ld    t0, 256(sp)
  csrw  \mode\()epc, t0
  ld    t0, 16(sp)
  csrw  \mode\()scratch, t0
  .irp  n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  ld    x\n, 8 * \n(sp)
  .endr
  addi  sp, sp, FRAME
  csrrw sp, \mode\()scratch, sp
  \mode\()ret
.endm

  .align 2
  .globl m_vector
m_vector:
  vector m, m_trapped

  .align 2
  .globl s_vector
s_vector:
  vector s, s_trapped

  .section .tohost, "aw"
  .globl tohost
  .globl fromhost
  .align 6
tohost:
  .dword 0
  .align 6
fromhost:
  .dword 0

  .data
  .globl privilege
privilege:
  .dword 3
memory_ready:
  .word 0

  .bss
  .align 4
run_in_stack:
  .space 8
  .align 4
stacks:
  .space 12288 * 8

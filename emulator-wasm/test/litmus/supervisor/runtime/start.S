# Where the firmware enters in S-mode: the boot hart here, others where hart_start said. RAM was zero.

  .section .text.start
  .globl _start
_start:
  call  prepare
  call  begin

  .globl secondary_start
secondary_start:
  call  prepare
  call  secondary
1:
  wfi
  j     1b

# Each hart's stack and trap vector; keeps a0 (hart) and a1.
prepare:
  lla   sp, stacks
  li    t0, 8192
  addi  t1, a0, 1
  mul   t0, t0, t1
  add   sp, sp, t0
  lla   t0, unexpected_entry
  csrw  stvec, t0
  csrw  sie, zero
  ret

  .align 2
unexpected_entry:
  call  unexpected

  .bss
  .align 4
stacks:
  .space 8192 * 8

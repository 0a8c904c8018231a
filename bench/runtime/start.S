# Entry in M-mode at the start of RAM, with one hart. Leaves M-mode and does not return to it: opens the PMP,
# delegates, turns on Sv39 and enters S-mode at supervisor().

    .section .text.start, "ax"
    .globl _start
_start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, stack_top
    la      t0, fail
    csrw    mtvec, t0

    li      t0, -1                  # one NAPOT region over everything, RWX for S and U
    csrw    pmpaddr0, t0
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    li      t0, 0xb1ff              # all exceptions but environment calls of S-mode
    csrw    medeleg, t0
    csrw    mie, zero
    li      t0, 7                   # cycle, time, instret
    csrw    mcounteren, t0

    call    build_page_tables       # a0 = satp
    csrw    satp, a0
    sfence.vma
    la      t0, fail
    csrw    stvec, t0

    li      t0, 3 << 11             # mstatus.MPP
    csrc    mstatus, t0
    li      t0, (1 << 11) | (1 << 13) # MPP = S, FS = Initial
    csrs    mstatus, t0
    la      t0, supervisor
    csrw    mepc, t0
    mret

# Any trap is a failure; the codes say which.
    .balign 4
fail:
    csrr    a0, scause
    csrr    a1, sepc
    csrr    a2, stval
    la      sp, stack_top
    j       trapped

    .bss
    .balign 16
    .space  1 << 20
stack_top:

/* The environment of a bare-metal C program in M-mode: privilege modes and traps. */
#pragma once
#include "check.h"

/* The findings of M-mode's and S-mode's trap handlers. The cause is NONE if there was no trap. */
struct trap {
  volatile u64 cause, tval, epc, status, count;
};
extern struct trap m_trap, s_trap;

/* Codes of the interrupts taken so far, in order. S-mode's codes have 100 added. */
extern volatile u8 interrupts[64];
extern volatile u32 interrupt_count;

/* The address at which a trap handler continues; 0 if no trap is expected. */
extern volatile u64 resume;
/* Whether the M-mode handler continues there in M-mode, even if the trap came from another mode. */
extern volatile u64 resume_in_m;

extern volatile u64 privilege;
extern char m_vector[], s_vector[];

/*
 * Runs `code`, which may trap; execution then continues after it. Returns the cause that the M-mode handler
 * saw, or NONE. `code` may use t1 to t4, a7 and ra; %0 to %9 are the operands.
 */
#define TRY(code, ...)                                             \
  ({                                                               \
    forget_traps();                                                \
    asm volatile("lla t1, 9f\n\t"                                  \
                 "sd t1, 0(%[resume])\n\t"                         \
                 code "\n"                                         \
                 "9:\n\t"                                          \
                 "sd zero, 0(%[resume])"                           \
                 :                                                 \
                 : __VA_ARGS__ __VA_OPT__(, )[resume] "r"(&resume) \
                 : "t1", "t2", "t3", "t4", "a7", "ra", "memory");  \
    m_trap.cause;                                                  \
  })

/* Sets both causes to NONE. */
void forget_traps(void);

/*
 * Calls a function in S or U, with its code and stack moved by `offset` and MIE off. M-mode still gets traps.
 */
u64 run_in(u64 privilege, u64 (*function)(u64), u64 argument, u64 offset);

/* Sets S-mode's trap vector and delegates these exceptions and interrupts to it. */
void delegate(u64 exceptions, u64 interrupts);

int main(void);

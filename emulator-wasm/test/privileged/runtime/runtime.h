/* A bare-metal C program's surroundings: output, checks, privilege modes, traps. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

enum { U = 0, S = 1, M = 3 };

/* mcause and scause. */
enum {
  FETCH_MISALIGNED = 0,
  FETCH_ACCESS = 1,
  ILLEGAL = 2,
  BREAKPOINT = 3,
  LOAD_MISALIGNED = 4,
  LOAD_ACCESS = 5,
  STORE_MISALIGNED = 6,
  STORE_ACCESS = 7,
  ECALL_U = 8,
  ECALL_S = 9,
  ECALL_M = 11,
  FETCH_PAGE = 12,
  LOAD_PAGE = 13,
  STORE_PAGE = 15,
};
enum { SSI = 1, MSI = 3, STI = 5, MTI = 7, SEI = 9, MEI = 11 };
#define INTERRUPT (1UL << 63)
#define NONE (~0UL)

/* mstatus and sstatus. */
#define STATUS_SIE (1UL << 1)
#define STATUS_MIE (1UL << 3)
#define STATUS_SPIE (1UL << 5)
#define STATUS_MPIE (1UL << 7)
#define STATUS_SPP (1UL << 8)
#define STATUS_MPP (3UL << 11)
#define STATUS_FS (3UL << 13)
#define STATUS_MPRV (1UL << 17)
#define STATUS_SUM (1UL << 18)
#define STATUS_MXR (1UL << 19)
#define STATUS_TVM (1UL << 20)
#define STATUS_TW (1UL << 21)
#define STATUS_TSR (1UL << 22)
#define STATUS_SD (1UL << 63)

#define READ_CSR(name)                                     \
  ({                                                       \
    u64 value_;                                            \
    asm volatile("csrr %0, " #name : "=r"(value_)::"memory"); \
    value_;                                                \
  })
#define WRITE_CSR(name, value) asm volatile("csrw " #name ", %0" ::"r"((u64)(value)) : "memory")
#define SET_CSR(name, value) asm volatile("csrs " #name ", %0" ::"r"((u64)(value)) : "memory")
#define CLEAR_CSR(name, value) asm volatile("csrc " #name ", %0" ::"r"((u64)(value)) : "memory")

/* What a trap handler found, cause NONE if there was no trap; of M-mode and of S-mode. */
struct trap {
  volatile u64 cause, tval, epc, status, count;
};
extern struct trap m_trap, s_trap;

/* Codes of the interrupts taken so far, in order: M-mode's as they are, S-mode's plus 100. */
extern volatile u8 interrupts[64];
extern volatile u32 interrupt_count;

/* Where a trap handler goes on; 0 if no trap is expected. */
extern volatile u64 resume;
/* Whether the M-mode handler goes on there in M-mode, wherever the trap came from. */
extern volatile u64 resume_in_m;

extern volatile u64 privilege;
extern char m_vector[], s_vector[];

/*
 * Runs `code`, which may trap: execution then goes on behind it. Gives the cause the M-mode handler saw,
 * or NONE. `code` may use t1 to t4, a7 and ra; %0 to %9 are the operands.
 */
#define TRY(code, ...)                                                        \
  ({                                                                          \
    forget_traps();                                                           \
    asm volatile("lla t1, 9f\n\t"                                             \
                 "sd t1, 0(%[resume])\n\t"                                    \
                 code "\n"                                                    \
                 "9:\n\t"                                                     \
                 "sd zero, 0(%[resume])"                                      \
                 :                                                            \
                 : __VA_ARGS__ __VA_OPT__(, )[resume] "r"(&resume)            \
                            : "t1", "t2", "t3", "t4", "a7", "ra", "memory");                                     \
    m_trap.cause;                                                             \
  })

void forget_traps(void);

/* Counts a check and prints what fails; in any mode. */
void check(const char *name, u64 got, u64 expected);
/* The same, but not on QEMU: where its version 7.2 is laxer than the specification. */
void strict(const char *name, u64 got, u64 expected);
void print(const char *text);
/* Ends the program: pass if at least one check was made and none failed. */
void report(void) __attribute__((noreturn));
/* Ends the program at once. */
void finish(u32 code) __attribute__((noreturn));

u64 run_in(u64 privilege, u64 (*function)(u64), u64 argument, u64 offset);

/* Turns S-mode's trap vector on and delegates these exceptions and interrupts to it. */
void delegate(u64 exceptions, u64 interrupts);

/* Whether QEMU runs this, for what it cannot do at all. */
int on_qemu(void);

int main(void);

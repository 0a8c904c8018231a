#include "runtime.h"

/* System calls from S and U to the M-mode handler. */
enum { CALL_RETURN = 0x100, CALL_PUT = 0x101 };

struct frame {
  u64 x[32], epc, status;
};

struct trap m_trap, s_trap;
volatile u8 interrupts[64];
volatile u32 interrupt_count;
volatile u64 resume, resume_in_m;

static u8 s_stack[4096] __attribute__((aligned(16)));

extern char run_in_end[];

void put(char c) {
  if (privilege == M) {
    while (!(UART[5] & 0x20));
    UART[0] = c;
    return;
  }
  register u64 a0 asm("a0") = c;
  register u64 a7 asm("a7") = CALL_PUT;
  asm volatile("ecall" ::"r"(a0), "r"(a7) : "memory");
}

void forget_traps(void) {
  m_trap.cause = s_trap.cause = NONE;
}

void delegate(u64 exceptions, u64 interrupts) {
  WRITE_CSR(sscratch, s_stack + sizeof s_stack);
  WRITE_CSR(stvec, s_vector);
  WRITE_CSR(medeleg, exceptions);
  WRITE_CSR(mideleg, interrupts);
}

static void record(struct trap *trap, struct frame *frame, u64 cause, u64 tval) {
  trap->cause = cause;
  trap->tval = tval;
  trap->epc = frame->epc;
  trap->status = frame->status;
  trap->count++;
}

static void unexpected(const char *mode, struct trap *trap) {
  privilege = M;
  print("FAIL unexpected trap to ");
  print(mode);
  print(": cause ");
  print_hex(trap->cause);
  print(", epc ");
  print_hex(trap->epc);
  print(", tval ");
  print_hex(trap->tval);
  print("\n");
  finish(2);
}

/* Disables each interrupt as it comes, so that it occurs once. */
void m_trapped(struct frame *frame) {
  u64 cause = READ_CSR(mcause);
  u64 call = frame->x[17];
  if ((cause == ECALL_U || cause == ECALL_S) && call == CALL_RETURN) {
    frame->epc = (u64)run_in_end;
    SET_CSR(mstatus, STATUS_MPP);
    return;
  }
  if ((cause == ECALL_U || cause == ECALL_S) && call == CALL_PUT) {
    u64 from = privilege;
    privilege = M;
    put(frame->x[10]);
    privilege = from;
    frame->epc += 4;
    return;
  }
  record(&m_trap, frame, cause, READ_CSR(mtval));
  if (cause & INTERRUPT) {
    interrupts[interrupt_count++ % sizeof interrupts] = cause & 63;
    CLEAR_CSR(mie, 1UL << (cause & 63));
    return;
  }
  if (!resume) unexpected("M", &m_trap);
  if (resume_in_m) SET_CSR(mstatus, STATUS_MPP);
  frame->epc = resume;
  resume = 0;
}

/* Passes a call from U on to M-mode, because S-mode receives it if ECALL_U is delegated. */
static void forward(struct frame *frame) {
  register u64 a0 asm("a0") = frame->x[10];
  register u64 a7 asm("a7") = frame->x[17];
  if (a7 == CALL_RETURN) WRITE_CSR(sscratch, s_stack + sizeof s_stack);
  asm volatile("ecall" ::"r"(a0), "r"(a7) : "memory");
  frame->epc += 4;
}

void s_trapped(struct frame *frame) {
  u64 cause = READ_CSR(scause);
  if (cause == ECALL_U && (frame->x[17] == CALL_RETURN || frame->x[17] == CALL_PUT)) return forward(frame);
  record(&s_trap, frame, cause, READ_CSR(stval));
  if (cause & INTERRUPT) {
    interrupts[interrupt_count++ % sizeof interrupts] = 100 + (cause & 63);
    CLEAR_CSR(sie, 1UL << (cause & 63));
    return;
  }
  if (!resume) {
    print("FAIL unexpected trap to S\n");
    check("unexpected scause", cause, NONE);
    check("its sepc", s_trap.epc, 0);
    check("its stval", s_trap.tval, 0);
    report();
  }
  frame->epc = resume;
  resume = 0;
}

void begin(void) {
  architecture = READ_CSR(marchid);
  main();
  report();
}

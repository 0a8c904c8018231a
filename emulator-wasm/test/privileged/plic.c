/* The PLIC: priorities, thresholds, enables, claim and completion (RISC-V PLIC specification). */
#include "devices.h"

#define BIT(n) (1UL << (n))
#define BOTH (BIT(UART_SOURCE) | BIT(RTC_SOURCE))

enum { MACHINE_CONTEXT = 0, SUPERVISOR_CONTEXT = 1 };

static void uart_on(void) { UART_IER = 2; }
static void uart_off(void) { UART_IER = 0; }

/* The alarm is in the past, so it fires as soon as it is set. */
static void rtc_on(void) {
  RTC_IRQ_ENABLED = 1;
  RTC_ALARM_HIGH = 0;
  RTC_ALARM_LOW = 1;
}

static void rtc_off(void) {
  RTC_CLEAR_INTERRUPT = 1;
  RTC_IRQ_ENABLED = 0;
}

static void settle(u32 pending) {
  for (int i = 0; i < 1000000 && (PLIC_PENDING & BOTH) != pending; i++);
}

static u64 external(void) { return READ_CSR(mip) & (BIT(MEI) | BIT(SEI)); }

/* mip follows within a bounded time. */
static u64 external_after(u64 expected) {
  for (int i = 0; i < 1000000 && external() != expected; i++);
  return external();
}

/* QEMU evaluates enables again only when a threshold or a priority changes. */
static void enable(int context, u32 sources) {
  PLIC_ENABLE(context) = sources;
  PLIC_THRESHOLD(context) = PLIC_THRESHOLD(context);
}

static void registers(void) {
  for (int source = 1; source < 32; source++) {
    PLIC_PRIORITY(source) = 7;
    check("priority is kept", PLIC_PRIORITY(source), 7);
    PLIC_PRIORITY(source) = 0;
  }
  PLIC_PRIORITY(0) = 7;
  check("source 0 does not exist", PLIC_PRIORITY(0), 0);
  PLIC_ENABLE(0) = 0xfffffffe;
  check("enables are kept", PLIC_ENABLE(0), 0xfffffffe);
  check("each context has its own", PLIC_ENABLE(1), 0);
  PLIC_ENABLE(0) = 0;
  PLIC_THRESHOLD(1) = 5;
  check("threshold is kept", PLIC_THRESHOLD(1), 5);
  PLIC_THRESHOLD(1) = 0;
  check("nothing to claim", PLIC_CLAIM(0), 0);
  check("nothing pending", PLIC_PENDING & BOTH, 0);
}

static void one_source(void) {
  uart_on();
  settle(BIT(UART_SOURCE));
  check("pending", PLIC_PENDING & BOTH, BIT(UART_SOURCE));
  check("priority 0 is never", external(), 0);
  enable(MACHINE_CONTEXT, BIT(UART_SOURCE));
  check("enabled, but priority 0", external(), 0);
  check("nothing to claim", PLIC_CLAIM(MACHINE_CONTEXT), 0);
  PLIC_PRIORITY(UART_SOURCE) = 3;
  check("MEIP", external_after(BIT(MEI)), BIT(MEI));
  PLIC_THRESHOLD(MACHINE_CONTEXT) = 3;
  check("not above the threshold", external_after(0), 0);
  PLIC_THRESHOLD(MACHINE_CONTEXT) = 2;
  check("above the threshold", external_after(BIT(MEI)), BIT(MEI));
  enable(MACHINE_CONTEXT, 0);
  check("disabled", external_after(0), 0);
  check("disabled: nothing to claim", PLIC_CLAIM(MACHINE_CONTEXT), 0);
  enable(MACHINE_CONTEXT, BIT(UART_SOURCE));
  check("enabled", external_after(BIT(MEI)), BIT(MEI));

  check("claim", PLIC_CLAIM(MACHINE_CONTEXT), UART_SOURCE);
  check("claimed: MEIP falls", external_after(0), 0);
  check("claimed: not pending", PLIC_PENDING & BOTH, 0);
  check("claimed: nothing more", PLIC_CLAIM(MACHINE_CONTEXT), 0);
  uart_off();
  PLIC_CLAIM(MACHINE_CONTEXT) = UART_SOURCE;
  check("completed and quiet", external_after(0), 0);
  PLIC_THRESHOLD(MACHINE_CONTEXT) = 0;
}

static void still_asking(void) {
  rtc_on();
  PLIC_PRIORITY(RTC_SOURCE) = 1;
  enable(MACHINE_CONTEXT, BIT(RTC_SOURCE));
  check("MEIP", external_after(BIT(MEI)), BIT(MEI));
  check("claim", PLIC_CLAIM(MACHINE_CONTEXT), RTC_SOURCE);
  check("claimed", external_after(0), 0);
  PLIC_CLAIM(MACHINE_CONTEXT) = RTC_SOURCE;
  /* QEMU's gateway waits for the line to fall. */
  strict("completed, the line still up: again", external_after(BIT(MEI)), BIT(MEI));
  strict("claim again", PLIC_CLAIM(MACHINE_CONTEXT), RTC_SOURCE);
  rtc_off();
  PLIC_CLAIM(MACHINE_CONTEXT) = RTC_SOURCE;
  check("the line down", external_after(0), 0);
  PLIC_PRIORITY(RTC_SOURCE) = 0;
}

static void two_sources(void) {
  enable(MACHINE_CONTEXT, BOTH);
  PLIC_PRIORITY(UART_SOURCE) = 1;
  PLIC_PRIORITY(RTC_SOURCE) = 2;
  uart_on();
  rtc_on();
  settle(BOTH);
  check("both pending", PLIC_PENDING & BOTH, BOTH);
  check("higher priority first", PLIC_CLAIM(MACHINE_CONTEXT), RTC_SOURCE);
  check("then the other", PLIC_CLAIM(MACHINE_CONTEXT), UART_SOURCE);
  check("then none", PLIC_CLAIM(MACHINE_CONTEXT), 0);
  uart_off();
  rtc_off();
  PLIC_CLAIM(MACHINE_CONTEXT) = RTC_SOURCE;
  PLIC_CLAIM(MACHINE_CONTEXT) = UART_SOURCE;
  settle(0);

  PLIC_PRIORITY(RTC_SOURCE) = 1;
  uart_on();
  rtc_on();
  settle(BOTH);
  check("equal priorities: lower number first", PLIC_CLAIM(MACHINE_CONTEXT), UART_SOURCE);
  check("then the other", PLIC_CLAIM(MACHINE_CONTEXT), RTC_SOURCE);
  uart_off();
  rtc_off();
  PLIC_CLAIM(MACHINE_CONTEXT) = UART_SOURCE;
  PLIC_CLAIM(MACHINE_CONTEXT) = RTC_SOURCE;
  settle(0);
  check("quiet", external_after(0), 0);
  enable(MACHINE_CONTEXT, 0);
}

static void contexts(void) {
  enable(MACHINE_CONTEXT, BIT(RTC_SOURCE));
  enable(SUPERVISOR_CONTEXT, BIT(UART_SOURCE));
  uart_on();
  check("S-mode's context: SEIP", external_after(BIT(SEI)), BIT(SEI));
  rtc_on();
  check("both", external_after(BIT(MEI) | BIT(SEI)), BIT(MEI) | BIT(SEI));
  WRITE_CSR(mip, 0);
  check("mip.SEIP from outside cannot be cleared", external(), BIT(MEI) | BIT(SEI));
  /* A read-modify-write of mip must not copy the line into software's bit. */
  SET_CSR(mip, BIT(SSI));
  CLEAR_CSR(mip, BIT(SSI));
  check("each claims its own", PLIC_CLAIM(SUPERVISOR_CONTEXT), UART_SOURCE);
  check("SEIP falls", external_after(BIT(MEI)), BIT(MEI));
  SET_CSR(mip, BIT(SEI));
  check("software's SEIP", external(), BIT(MEI) | BIT(SEI));
  CLEAR_CSR(mip, BIT(SEI));
  check("each claims its own", PLIC_CLAIM(MACHINE_CONTEXT), RTC_SOURCE);
  uart_off();
  rtc_off();
  PLIC_CLAIM(SUPERVISOR_CONTEXT) = UART_SOURCE;
  PLIC_CLAIM(MACHINE_CONTEXT) = RTC_SOURCE;
  check("quiet", external_after(0), 0);

  enable(MACHINE_CONTEXT, BIT(RTC_SOURCE));
  enable(SUPERVISOR_CONTEXT, BIT(RTC_SOURCE));
  rtc_on();
  check("one source in two contexts", external_after(BIT(MEI) | BIT(SEI)), BIT(MEI) | BIT(SEI));
  check("the first to claim gets it", PLIC_CLAIM(SUPERVISOR_CONTEXT), RTC_SOURCE);
  check("the other nothing", PLIC_CLAIM(MACHINE_CONTEXT), 0);
  check("both quiet", external_after(0), 0);
  rtc_off();
  PLIC_CLAIM(SUPERVISOR_CONTEXT) = RTC_SOURCE;
}

static void taken(void) {
  enable(SUPERVISOR_CONTEXT, 0);
  enable(MACHINE_CONTEXT, BIT(UART_SOURCE));
  PLIC_PRIORITY(UART_SOURCE) = 1;
  interrupt_count = 0;
  WRITE_CSR(mie, BIT(MEI));
  SET_CSR(mstatus, STATUS_MIE);
  uart_on();
  for (volatile int i = 0; i < 10000; i++);
  check("taken once", interrupt_count, 1);
  check("as M-mode's external", interrupts[0], MEI);
  check("claim", PLIC_CLAIM(MACHINE_CONTEXT), UART_SOURCE);
  u64 identification = UART_IIR & 15;
  check("the UART says why", identification, 2);
  uart_off();
  PLIC_CLAIM(MACHINE_CONTEXT) = UART_SOURCE;
}

int main(void) {
  uart_off();
  registers();
  one_source();
  still_asking();
  two_sources();
  contexts();
  taken();
  return 0;
}

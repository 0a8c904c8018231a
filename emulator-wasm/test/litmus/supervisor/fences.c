/* A hart changes mappings and code that others use, and asks the firmware for remote fences (SBI, RFENCE). */
#include "supervisor.h"
#include "vm.h"

#define RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD)
#define SPACE 3UL
#define ROUNDS 64

enum work { IDLE, READ_MAPPING, CALL_CODE, CALL_MAPPING, SLEEP, END };

static u64 pages[2][512] __attribute__((aligned(4096)));
static volatile u64 published;
static volatile enum work work;
static volatile u64 working[8], wrong[8], rounds[8];
static volatile u32 code[1024] __attribute__((aligned(4096)));

static u64 call(volatile void *at) {
  register u64 a0 asm("a0");
  asm volatile("jalr %1" : "=r"(a0) : "r"(at) : "ra", "memory");
  return a0;
}

static void put_constant(volatile u32 *at, u64 n) { at[0] = 0x00000513 | n << 20; /* li a0, n */ }

/* The result of the work: at least the value published before it looked, at most the next one. */
static u64 look(enum work now) {
  switch (now) {
    case READ_MAPPING: return *(volatile u64 *)FREE_VA;
    case CALL_CODE: return call(code);
    default: return call((void *)(FREE_VA + 0x800));
  }
}

void secondary(u64 hart, u64 unused) {
  (void)unused;
  WRITE_CSR(satp, satp_for(SPACE));
  sfence_all();
  while (work != END) {
    enum work now = work;
    fence();
    working[hart] = now;
    if (now == SLEEP) {
      /* Sleeps with interrupts off until an IPI. Fences must be served all the same. */
      SET_CSR(sie, 2);
      asm volatile("wfi");
      if (!(READ_CSR(sip) & 2)) continue;
      CLEAR_CSR(sip, 2);
      u64 least = published;
      fence();
      if (look(READ_MAPPING) < least) wrong[hart]++;
      rounds[hart]++;
    } else if (now != IDLE) {
      u64 least = published;
      fence();
      u64 found = look(now);
      fence();
      if (found < least || found > published + 1) wrong[hart]++;
      rounds[hart]++;
    }
  }
  hart_stop();
}

static u64 others;

static void start(enum work next) {
  published = 0;
  fence();
  work = next;
  for (u64 hart = 0; hart < HARTS; hart++) {
    while (others >> hart & 1 && working[hart] != next) pause();
    wrong[hart] = 0;
    rounds[hart] = 0;
  }
}

static void stop(const char *name, enum work kind) {
  work = IDLE;
  for (u64 hart = 0; hart < HARTS; hart++) {
    if (!(others >> hart & 1)) continue;
    while (working[hart] != IDLE) pause();
    /* QEMU may keep the old code if it translates code while another hart writes it. */
    if (kind == READ_MAPPING || kind == SLEEP) check(name, wrong[hart], 0);
    else strict(name, wrong[hart], 0);
    check("and it looked", rounds[hart] > 0, 1);
  }
}

/* Every hart has looked at least once since then. */
static void let_look(void) {
  for (u64 hart = 0; hart < HARTS; hart++) {
    u64 before = rounds[hart];
    while (others >> hart & 1 && rounds[hart] < before + 2) pause();
  }
}

static void mappings(const char *name, enum work kind, int form) {
  volatile u64 *entry = pte_of(FREE_VA, 0);
  pages[0][0] = 0;
  put_constant((u32 *)pages[0] + 512, 0);
  *entry = (u64)pages[0] >> 12 << 10 | RWX;
  fence();
  remote_fence_i(others);
  remote_sfence(others, 0, ~0UL);
  start(kind);
  for (u64 n = 1; n <= ROUNDS; n++) {
    volatile u64 *page = pages[n & 1];
    page[0] = n;
    put_constant((u32 *)page + 512, n);
    if (kind == CALL_MAPPING) {
      fence();
      remote_fence_i(others);
    }
    *entry = (u64)page >> 12 << 10 | RWX;
    fence();
    if (form == 0) remote_sfence(others, FREE_VA, PAGE);
    if (form == 1) remote_sfence(others, 0, ~0UL);
    if (form == 2) remote_sfence_asid(others, FREE_VA, PAGE, SPACE);
    if (form == 3) remote_sfence_asid(others, 0, 0, SPACE);
    published = n;
    if (n % 16 == 0) let_look();
  }
  let_look();
  stop(name, kind);
}

static void changing_code(void) {
  put_constant(code, 0);
  fence();
  remote_fence_i(others);
  start(CALL_CODE);
  for (u64 n = 1; n <= ROUNDS; n++) {
    put_constant(code, n);
    fence();
    remote_fence_i(others);
    published = n;
    if (n % 16 == 0) let_look();
  }
  let_look();
  stop("changed code", CALL_CODE);
}

static void asleep(void) {
  volatile u64 *entry = pte_of(FREE_VA, 0);
  start(SLEEP);
  for (u64 n = 1; n <= 40; n++) {
    pages[n & 1][0] = n;
    *entry = (u64)pages[n & 1] >> 12 << 10 | RWX;
    fence();
    remote_sfence(others, FREE_VA, PAGE);
    published = n;
    fence();
    u64 before[HARTS];
    for (u64 hart = 0; hart < HARTS; hart++) before[hart] = rounds[hart];
    send_ipi(others);
    for (u64 hart = 0; hart < HARTS; hart++) {
      while (others >> hart & 1 && rounds[hart] == before[hart]) pause();
    }
  }
  work = IDLE;
  fence();
  send_ipi(others);
  stop("changed mapping, seen after sleep", SLEEP);
}

int main(u64 boot) {
  ((volatile u32 *)pages[0])[513] = ((volatile u32 *)pages[1])[513] = 0x00008067; /* ret */
  code[1] = 0x00008067;
  vm_init();
  pte_of(FREE_VA, 0);
  WRITE_CSR(satp, satp_for(SPACE));
  sfence_all();
  fence();
  for (u64 hart = 0; hart < HARTS; hart++) {
    if (hart == boot) continue;
    others |= 1UL << hart;
    start_secondary(hart, 0);
  }
  mappings("changed mapping, by address", READ_MAPPING, 0);
  mappings("changed mapping, all", READ_MAPPING, 1);
  mappings("changed mapping, by address and ASID", READ_MAPPING, 2);
  mappings("changed mapping, by ASID", READ_MAPPING, 3);
  mappings("changed mapping of code", CALL_MAPPING, 0);
  changing_code();
  asleep();
  work = END;
  fence();
  for (u64 hart = 0; hart < HARTS; hart++) {
    if (others >> hart & 1) check("stopped", wait_status(hart, HSM_STOPPED), HSM_STOPPED);
  }
  /* A fence for a hart that does not run must not hang. */
  remote_sfence(others, 0, ~0UL);
  remote_fence_i(others);
  return 0;
}

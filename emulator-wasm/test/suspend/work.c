/*
 * Harts that work until a byte arrives: each holds patterns in all registers, raises exceptions, counts with
 * LR/SC, AMOs and a lock, reads the time, and sleeps until its timer. Whoever suspends the machine meanwhile
 * must change nothing.
 */
#include "devices.h"

#define MAX_HARTS 8
#define RECEIVED (UART[5] & 1)
#define TICKS 2000

/*
 * u64 hold(const u64 *pattern, u64 *found, u64 spins, u64 flags): fills x1, x4 to x30, f0 to f31 and fflags,
 * counts down, and stores what is there then. Returns fflags. The pattern has 64 words, x0 to x31 and f0 to
 * f31.
 */
asm("  .globl hold\n"
    "hold:\n"
    "  addi sp, sp, -128\n"
    "  sd ra, 0(sp)\n"
    "  sd gp, 8(sp)\n"
    "  sd tp, 16(sp)\n"
    "  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
    "  sd s\\n, 24 + 8 * \\n(sp)\n"
    "  .endr\n"
    "  mv gp, a1\n"
    "  mv t6, a2\n"
    "  fsflags a3\n"
    "  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "  fld f\\n, 256 + 8 * \\n(a0)\n"
    "  .endr\n"
    "  .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
    "  fld f\\n, 256 + 8 * \\n(a0)\n"
    "  .endr\n"
    "  .irp n, 1, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 10\n"
    "  ld x\\n, 8 * \\n(a0)\n"
    "  .endr\n"
    "1:\n"
    "  addi t6, t6, -1\n"
    "  bnez t6, 1b\n"
    "  .irp n, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n"
    "  sd x\\n, 8 * \\n(gp)\n"
    "  .endr\n"
    "  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "  fsd f\\n, 256 + 8 * \\n(gp)\n"
    "  .endr\n"
    "  .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
    "  fsd f\\n, 256 + 8 * \\n(gp)\n"
    "  .endr\n"
    "  ld ra, 0(sp)\n"
    "  ld gp, 8(sp)\n"
    "  ld tp, 16(sp)\n"
    "  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
    "  ld s\\n, 24 + 8 * \\n(sp)\n"
    "  .endr\n"
    "  addi sp, sp, 128\n"
    "  frflags a0\n"
    "  ret\n");
u64 hold(const u64 *pattern, u64 *found, u64 spins, u64 flags);

static volatile u64 started, finished, stop;
static volatile u64 reserved_count, added_count, guarded_count;
static volatile u32 lock;
static volatile u64 laps[MAX_HARTS], errors[MAX_HARTS];
/* Pages that a hart writes one after the other. */
static volatile u64 pages[MAX_HARTS][16][512] __attribute__((aligned(4096)));

static void registers(u64 hart, u64 lap) {
  u64 pattern[64], found[64];
  for (int n = 0; n < 64; n++) pattern[n] = (lap * 64 + n) * 0x9e3779b97f4a7c15UL + hart;
  u64 flags = hold(pattern, found, 700, lap & 31);
  errors[hart] += flags != (lap & 31);
  for (int n = 0; n < 64; n++) {
    int is_held = n == 1 || (n >= 4 && n != 31);
    errors[hart] += is_held && found[n] != pattern[n];
  }
}

/* An inexact result sets NX, which stays. */
static void exceptions(u64 hart) {
  u64 flags;
  asm volatile(
      "fsflags zero\n\t"
      "fcvt.d.l ft0, %1\n\t"
      "fcvt.d.l ft1, %2\n\t"
      "fdiv.d ft2, ft0, ft1\n\t"
      "li t0, 300\n"
      "1: addi t0, t0, -1\n\t"
      "bnez t0, 1b\n\t"
      "frflags %0"
      : "=r"(flags)
      : "r"(1UL), "r"(3UL)
      : "t0", "ft0", "ft1", "ft2");
  errors[hart] += flags != 1;
}

static void count(u64 hart) {
  u64 taken;
  asm volatile(
      "1: lr.d t0, (%0)\n\t"
      "addi t0, t0, 1\n\t"
      "li t1, 50\n"
      "2: addi t1, t1, -1\n\t"
      "bnez t1, 2b\n\t"
      "sc.d t1, t0, (%0)\n\t"
      "bnez t1, 1b" ::"r"(&reserved_count)
      : "t0", "t1", "memory");
  asm volatile("amoadd.d zero, %0, (%1)" ::"r"(1UL), "r"(&added_count) : "memory");
  do asm volatile("amoswap.w.aq %0, %1, (%2)" : "=r"(taken) : "r"(1UL), "r"(&lock) : "memory");
  while (taken);
  guarded_count++;
  asm volatile("amoswap.w.rl zero, zero, (%0)" ::"r"(&lock) : "memory");
  u64 lap = laps[hart];
  volatile u64 *page = pages[hart][lap % 16];
  errors[hart] += page[lap / 16 % 512] != (lap < 8192 ? 0 : lap - 8192);
  page[lap / 16 % 512] = lap;
}

static void sleep(u64 hart) {
  u64 before = READ_CSR(time);
  MTIMECMP(hart) = before + TICKS;
  while (!(READ_CSR(mip) & 1UL << MTI)) asm volatile("wfi" ::: "memory");
  u64 after = READ_CSR(time);
  errors[hart] += after < before + TICKS;
  MTIMECMP(hart) = ~0UL;
}

static void work(u64 hart) {
  asm volatile("amoadd.d zero, %0, (%1)" ::"r"(1UL), "r"(&started) : "memory");
  WRITE_CSR(mie, 1UL << MTI);
  u64 last = READ_CSR(time);
  while (!stop) {
    registers(hart, laps[hart]);
    exceptions(hart);
    count(hart);
    if (laps[hart] % 16 == 0) sleep(hart);
    u64 now = READ_CSR(time);
    errors[hart] += now < last;
    last = now;
    laps[hart]++;
    if (hart == 0 && RECEIVED) stop = 1;
  }
  asm volatile("fence rw, rw\n\tamoadd.d zero, %0, (%1)" ::"r"(1UL), "r"(&finished) : "memory");
}

void secondary(u64 hart) { work(hart); }

int main(void) {
  work(0);
  while (finished != started);
  u64 all = 0, wrong = 0;
  for (int hart = 0; hart < MAX_HARTS; hart++) {
    all += laps[hart];
    wrong += errors[hart];
  }
  check("errors", wrong, 0);
  check("lr.d, sc.d", reserved_count, all);
  check("amoadd.d", added_count, all);
  check("under a lock", guarded_count, all);
  check("the byte", UART[0], '.');
  print_hex(started);
  print(" harts\n");
  return 0;
}

/*
 * Harts wake each other by MSIP: first in a ring, with all but one asleep in wfi; then with crossing
 * interrupts.
 */
#include "devices.h"
#include "harts.h"

#define LAPS 500
#define CROSSINGS 2000

static volatile u64 ball, stores[HARTS];

static void wait_msip(u64 hart) {
  while (!(READ_CSR(mip) & 1UL << MSI)) asm volatile("wfi" ::: "memory");
  MSIP(hart) = 0;
  while (READ_CSR(mip) & 1UL << MSI);
}

static void round_and_round(u64 hart) {
  u64 next = (hart + 1) % HARTS;
  for (u64 lap = 0; lap < LAPS; lap++) {
    if (hart != 0 || lap != 0) wait_msip(hart);
    asm volatile("fence rw, rw" ::: "memory");
    ball++;
    asm volatile("fence rw, rw" ::: "memory");
    MSIP(next) = 1;
  }
  if (hart == 0) wait_msip(hart);
}

/* Pairs play ping-pong at the same time. Each hart wakes the other when that may be falling asleep. */
static void crossing(u64 hart) {
  u64 partner = hart ^ 1;
  for (u64 i = 0; i < CROSSINGS; i++) {
    stores[hart] = i + 1;
    asm volatile("fence rw, rw" ::: "memory");
    MSIP(partner) = 1;
    while (stores[partner] < i + 1) {
      if (READ_CSR(mip) & 1UL << MSI) MSIP(hart) = 0;
      else asm volatile("wfi" ::: "memory");
      asm volatile("fence iorw, iorw" ::: "memory");
    }
  }
}

static void run(u64 hart) {
  MSIP(hart) = 0;
  WRITE_CSR(mie, 1UL << MSI);
  barrier(hart);
  round_and_round(hart);
  barrier(hart);
  crossing(hart);
  barrier(hart);
}

void secondary(u64 hart) { run(hart); }

int main(void) {
  run(0);
  check("every throw was caught", ball, LAPS * HARTS);
  for (int hart = 0; hart < HARTS; hart++) check("every crossing was met", stores[hart], CROSSINGS);
  return 0;
}

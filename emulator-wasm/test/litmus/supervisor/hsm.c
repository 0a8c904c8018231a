/* SBI hart state management: start, stop, start again, and refused calls (SBI specification, HSM). */
#include "supervisor.h"

static volatile u64 seen[8], runs[8], secret;

void secondary(u64 hart, u64 opaque) {
  seen[hart] = opaque + secret;
  fence();
  runs[hart]++;
  fence();
  hart_stop();
}

int main(u64 boot) {
  check("the boot hart runs", hart_status(boot).value, HSM_STARTED);
  for (u64 hart = 0; hart < HARTS; hart++) {
    if (hart == boot) continue;
    check("others are stopped", hart_status(hart).value, HSM_STOPPED);
  }
  check("no such hart", hart_status(HARTS + 3).error, SBI_INVALID_PARAM);
  check("no such hart to start", hart_start(HARTS + 3, (u64)secondary_start, 0).error, SBI_INVALID_PARAM);
  check("this hart runs already", hart_start(boot, (u64)secondary_start, 0).error, SBI_ALREADY_AVAILABLE);
  for (u64 round = 1; round <= 50; round++) {
    secret = round * 1000;
    fence();
    for (u64 hart = 0; hart < HARTS; hart++) {
      if (hart != boot) check("hart_start", hart_start(hart, (u64)secondary_start, hart * 7 + round).error, 0);
    }
    for (u64 hart = 0; hart < HARTS; hart++) {
      if (hart == boot) continue;
      for (u64 end = READ_CSR(time) + 300000000; READ_CSR(time) < end && runs[hart] < round;) pause();
      check("started", runs[hart], round);
      check("stopped again", wait_status(hart, HSM_STOPPED), HSM_STOPPED);
      fence();
      check("saw its argument and our memory", seen[hart], hart * 7 + round + secret);
    }
  }
  return 0;
}

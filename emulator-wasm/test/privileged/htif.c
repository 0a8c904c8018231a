/* The end by `tohost` (HTIF), which QEMU's board has not: there the finisher ends it. */
#include "runtime.h"

extern volatile u64 tohost;

int main(void) {
  print("1 check passed\n");
  tohost = 1;
  for (volatile int i = 0; i < 100000; i++);
  finish(0);
}

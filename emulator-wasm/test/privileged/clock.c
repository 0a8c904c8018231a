/* Prints when and where timer interrupts occur. With time by instruction count, every run prints the same. */
#include "devices.h"

#define TIMES 40

static u64 work(u64 seed) {
  u64 value = seed;
  while (interrupt_count < TIMES) {
    u64 before = interrupt_count;
    MTIMECMP(0) = READ_CSR(time) + 100 + value % 200;
    SET_CSR(mie, 1UL << MTI);
    while (interrupt_count == before) value = value * 6364136223846793005UL + 1442695040888963407UL;
    print_hex(m_trap.epc);
    print(" ");
    print_hex(READ_CSR(time));
    print(" ");
    print_hex(READ_CSR(minstret));
    print(" ");
    print_hex(value);
    print("\n");
  }
  return value;
}

/* Hot enough to be compiled. */
static u64 readings(void) {
  u64 sum = 0;
  for (int i = 0; i < 200000; i++) sum = sum * 31 + READ_CSR(time);
  return sum;
}

int main(void) {
  MTIMECMP(0) = ~0UL;
  print_hex(readings());
  print("\n");
  SET_CSR(mstatus, STATUS_MIE);
  work(1);
  check("interrupts", interrupt_count, TIMES);
  CLEAR_CSR(mstatus, STATUS_MIE);
  u64 begin = READ_CSR(time);
  MTIMECMP(0) = begin + 5000;
  SET_CSR(mie, 1UL << MTI);
  asm volatile("wfi");
  check("wfi slept until its time", READ_CSR(time) >= begin + 5000, 1);
  print_hex(READ_CSR(time));
  print("\n");
  return 0;
}

#include "supervisor.h"

void put(char c) {
  while (!(UART[5] & 0x20));
  UART[0] = c;
}

void begin(u64 hart) {
  architecture = sbi_call(SBI_BASE, 5, 0, 0, 0, 0, 0).value;
  main(hart);
  report();
}

void unexpected(void) {
  print("FAIL unexpected trap: cause ");
  print_hex(READ_CSR(scause));
  print(", epc ");
  print_hex(READ_CSR(sepc));
  print(", tval ");
  print_hex(READ_CSR(stval));
  print("\n");
  finish(2);
}

struct sbi sbi_call(u64 extension, u64 function, u64 a, u64 b, u64 c, u64 d, u64 e) {
  register u64 a0 asm("a0") = a;
  register u64 a1 asm("a1") = b;
  register u64 a2 asm("a2") = c;
  register u64 a3 asm("a3") = d;
  register u64 a4 asm("a4") = e;
  register u64 a6 asm("a6") = function;
  register u64 a7 asm("a7") = extension;
  asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
  return (struct sbi){a0, a1};
}

struct sbi hart_start(u64 hart, u64 address, u64 opaque) {
  return sbi_call(SBI_HSM, 0, hart, address, opaque, 0, 0);
}

struct sbi hart_status(u64 hart) { return sbi_call(SBI_HSM, 2, hart, 0, 0, 0, 0); }

void hart_stop(void) { sbi_call(SBI_HSM, 1, 0, 0, 0, 0, 0); }

static void succeed(const char *name, struct sbi result) {
  if (result.error != SBI_SUCCESS) check(name, result.error, SBI_SUCCESS);
}

void send_ipi(u64 mask) { succeed("send_ipi", sbi_call(SBI_IPI, 0, mask, 0, 0, 0, 0)); }

void remote_fence_i(u64 mask) { succeed("remote fence.i", sbi_call(SBI_RFENCE, 0, mask, 0, 0, 0, 0)); }

void remote_sfence(u64 mask, u64 start, u64 size) {
  succeed("remote sfence.vma", sbi_call(SBI_RFENCE, 1, mask, 0, start, size, 0));
}

void remote_sfence_asid(u64 mask, u64 start, u64 size, u64 asid) {
  succeed("remote sfence.vma with ASID", sbi_call(SBI_RFENCE, 2, mask, 0, start, size, asid));
}

u64 wait_status(u64 hart, u64 status) {
  for (u64 end = READ_CSR(time) + 300000000; READ_CSR(time) < end;) {
    if (hart_status(hart).value == status) break;
    pause();
  }
  return hart_status(hart).value;
}

void start_secondary(u64 hart, u64 opaque) {
  succeed("hart_start", hart_start(hart, (u64)secondary_start, opaque));
  check("started", wait_status(hart, HSM_STARTED), HSM_STARTED);
}

/* Fields that keep only legal values (WARL), and CSRs that are views of other CSRs. */
#include "runtime.h"
#include "vm.h"

#define WRITE_READ(name, value) \
  ({                            \
    WRITE_CSR(name, value);     \
    READ_CSR(name);             \
  })

static void status(void) {
  u64 before = READ_CSR(mstatus);
  u64 all = WRITE_READ(mstatus, ~0UL & ~STATUS_MPRV);
  strict("UXL and SXL are 64 bits", all >> 32 & 15, 10);
  check("writable bits of mstatus", all & 0x7e79aa,
        STATUS_SIE | STATUS_MIE | STATUS_SPIE | STATUS_MPIE | STATUS_SPP | STATUS_MPP | STATUS_FS | STATUS_SUM |
            STATUS_MXR | STATUS_TVM | STATUS_TW | STATUS_TSR);
  check("SD with FS dirty", all & STATUS_SD, STATUS_SD);
  strict("VS", all & 3UL << 9, 3UL << 9);
  check("little-endian only", all & (1UL << 36 | 1UL << 37 | 1UL << 6), 0);
  u64 s = READ_CSR(sstatus);
  check("sstatus shows S-mode's bits only", s & ~(3UL << 32 | 3UL << 9),
        STATUS_SD | STATUS_MXR | STATUS_SUM | STATUS_FS | STATUS_SPP | STATUS_SPIE | STATUS_SIE);
  strict("sstatus.UXL", s >> 32 & 3, 2);
  WRITE_CSR(sstatus, 0);
  check("sstatus writes S-mode's bits only",
        READ_CSR(mstatus) & (STATUS_MIE | STATUS_MPIE | STATUS_MPP | STATUS_TVM | STATUS_TW | STATUS_TSR),
        STATUS_MIE | STATUS_MPIE | STATUS_MPP | STATUS_TVM | STATUS_TW | STATUS_TSR);
  check("and all of those", READ_CSR(mstatus) & (STATUS_MXR | STATUS_SUM | STATUS_FS | STATUS_SPP | STATUS_SIE), 0);
  check("no SD with FS off", READ_CSR(mstatus) & STATUS_SD, 0);
  WRITE_CSR(mstatus, before);
}

static void address_translation(void) {
  u64 bare = WRITE_READ(satp, 0);
  check("satp holds Bare", bare, 0);
  u64 sv39 = WRITE_READ(satp, 8UL << 60 | 0xffffUL << 44 | 0x80123);
  check("satp holds Sv39, 16 bits of ASID, and the page number", sv39, 8UL << 60 | 0xffffUL << 44 | 0x80123);
  check("an unknown mode changes nothing", WRITE_READ(satp, 5UL << 60 | 77), sv39);
  check("another unknown mode", WRITE_READ(satp, 15UL << 60 | 78), sv39);
  WRITE_CSR(satp, 0);
}

static void vectors(void) {
  u64 before = READ_CSR(mtvec);
  check("mtvec: vectored", WRITE_READ(mtvec, 0x80000101), 0x80000101);
  WRITE_CSR(mtvec, 0x80000202);
  check("mtvec: no reserved mode", READ_CSR(mtvec) & 2, 0);
  WRITE_CSR(mtvec, before);
  check("stvec: direct", WRITE_READ(stvec, 0x80000200), 0x80000200);
  check("stvec: vectored", WRITE_READ(stvec, 0x80000101), 0x80000101);
  WRITE_CSR(stvec, 0x80000203);
  check("stvec: no reserved mode", READ_CSR(stvec) & 2, 0);
  strict("mepc has no bit 0", WRITE_READ(mepc, 0x80000007), 0x80000006);
  strict("sepc has no bit 0", WRITE_READ(sepc, ~0UL), ~1UL);
  check("mscratch", WRITE_READ(sscratch, 0x123456789abcdef0), 0x123456789abcdef0);
  check("mtval", WRITE_READ(mtval, ~5UL), ~5UL);
  check("stval", WRITE_READ(stval, ~6UL), ~6UL);
  check("mcause", WRITE_READ(mcause, INTERRUPT | 7), INTERRUPT | 7);
  check("scause", WRITE_READ(scause, INTERRUPT | 5), INTERRUPT | 5);
}

static void interrupts_enabled(void) {
  WRITE_CSR(mideleg, 0);
  strict("mie", WRITE_READ(mie, ~0UL) & 0xffff, 0xaaa);
  check("sie shows nothing that is not delegated", READ_CSR(sie), 0);
  WRITE_CSR(mideleg, 1UL << SSI);
  check("sie shows what is", READ_CSR(sie), 1UL << SSI);
  WRITE_CSR(sie, 0);
  strict("sie writes what is", READ_CSR(mie) & 0xffff, 0xaaa & ~(1UL << SSI));
  WRITE_CSR(mie, 0);
  u64 before = READ_CSR(mip) & 0x888;
  check("mip: only S-mode's bits can be written", WRITE_READ(mip, ~0UL) & 0x888, before);
  check("mip: SSIP, STIP and SEIP can", READ_CSR(mip) & 0x222, 0x222);
  check("sip shows SSIP", READ_CSR(sip), 1UL << SSI);
  WRITE_CSR(mideleg, 0x222);
  WRITE_CSR(sip, 0);
  check("sip writes SSIP only", READ_CSR(mip) & 0x222, 0x220);
  WRITE_CSR(mip, 0);
  check("mip cleared", READ_CSR(mip) & 0x222, 0);
  WRITE_CSR(mideleg, 0);
}

static void others(void) {
  u64 misa = READ_CSR(misa);
  u64 letters = 0;
  for (const char *name = "IMAFDCSU"; *name; name++) letters |= 1UL << (*name - 'A');
  check("misa has our extensions", misa & letters, letters);
  check("misa: 64 bits", misa >> 62, 2);
  check("misa: no E, H, N, Q", misa & (1UL << 4 | 1UL << 7 | 1UL << 13 | 1UL << 16), 0);
  check("misa cannot be changed", WRITE_READ(misa, 0), misa);
  check("mhartid", READ_CSR(mhartid), 0);
  check("menvcfg holds STCE", WRITE_READ(menvcfg, 1UL << 63) >> 63, 1);
  check("and loses it", WRITE_READ(menvcfg, 0) >> 63, 0);
  check("mcounteren", WRITE_READ(mcounteren, 7) & 7, 7);
  check("scounteren", WRITE_READ(scounteren, 5) & 7, 5);
  strict("mcountinhibit has no TM", WRITE_READ(mcountinhibit, 7), 5);
  WRITE_CSR(mcountinhibit, 0);
  strict("pmpaddr has 54 bits", WRITE_READ(pmpaddr3, ~0UL), ~0UL >> 10);
  check("fcsr has 8 bits", WRITE_READ(fcsr, ~0UL), 0xff);
  check("frm has 3 bits", WRITE_READ(frm, 0xfa), 2);
  check("fflags has 5 bits", WRITE_READ(fflags, 0xf5), 0x15);
  check("fcsr is both", READ_CSR(fcsr), 0x55);
  WRITE_CSR(fcsr, 0);
}

int main(void) {
  status();
  address_translation();
  vectors();
  interrupts_enabled();
  others();
  return 0;
}

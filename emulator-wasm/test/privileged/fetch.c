/* Instructions that span two pages, and code whose mapping changes while it runs. */
#include "runtime.h"
#include "vm.h"

#define RX (PTE_V | PTE_R | PTE_X | PTE_AD)

static u16 pages[4][2048] __attribute__((aligned(4096)));
#define LI_A0(n) (0x00000513U | (u32)(n) << 20)
#define RET 0x8082

static u64 call(u64 va) {
  u64 result;
  asm volatile("li a0, -1\n\tjalr %1\n\tmv %0, a0" : "=r"(result) : "r"(va) : "ra", "a0", "memory");
  return result;
}

/* `li a0, n; ret` with its first half at the end of one page, the second at the beginning of the other. */
static void straddle(u16 *first, u16 *second, u32 n) {
  first[2047] = LI_A0(n) & 0xffff;
  second[0] = LI_A0(n) >> 16;
  second[1] = RET;
}

static u64 over_two_pages(u64 va) {
  u64 at = va + PAGE - 2;
  *pte_of(va, 0) = (u64)pages[0] >> 12 << 10 | RX;
  *pte_of(va + PAGE, 0) = 0;
  sfence_all();
  for (int again = 0; again < 2; again++) {
    check("second page missing", TRY("jalr %0", "r"(at)), FETCH_PAGE);
    check("epc is the instruction's", m_trap.epc, at);
    check("tval is the second page's", m_trap.tval, va + PAGE);
  }
  *pte_of(va + PAGE, 0) = (u64)pages[2] >> 12 << 10 | RX;
  sfence_all();
  check("both there", call(at), 5);
  *pte_of(va + PAGE, 0) = (u64)pages[1] >> 12 << 10 | RX;
  sfence_page(va + PAGE);
  check("second page another", call(at), 6);
  *pte_of(va + PAGE, 0) = ((u64)pages[1] >> 12 << 10 | RX) & ~PTE_X;
  sfence_page(va + PAGE);
  check("second page not executable", TRY("jalr %0", "r"(at)), FETCH_PAGE);
  check("tval", m_trap.tval, va + PAGE);
  check("but the page itself: epc", TRY("jalr %0", "r"(va + PAGE + 2)), FETCH_PAGE);
  check("tval", m_trap.tval, va + PAGE + 2);
  *pte_of(va + PAGE, 0) = (u64)pages[1] >> 12 << 10 | RX;
  sfence_page(va + PAGE);
  check("again executable", call(at), 6);
  *pte_of(va, 0) = 0;
  sfence_page(va);
  check("first page missing", TRY("jalr %0", "r"(at)), FETCH_PAGE);
  check("tval is the instruction's", m_trap.tval, at);
  *pte_of(va, 0) = (u64)pages[0] >> 12 << 10 | RX;
  sfence_page(va);
  check("first page back", call(at), 6);

  /* Falls into the instruction instead of jumping, so that the one before it is in the same block. */
  pages[0][2046] = 0x4501; /* li a0, 0 */
  asm volatile("fence.i");
  check("run on into the second page", call(at - 2), 6);
  *pte_of(va + PAGE, 0) = 0;
  sfence_page(va + PAGE);
  check("run on into a missing page", TRY("jalr %0", "r"(at - 2)), FETCH_PAGE);
  check("epc", m_trap.epc, at);
  check("tval", m_trap.tval, va + PAGE);
  *pte_of(va + PAGE, 0) = (u64)pages[1] >> 12 << 10 | RX;
  sfence_page(va + PAGE);

  /* Rewrites the second half by its own address, so that only the second page changes. */
  straddle(pages[0], pages[1], 9);
  asm volatile("fence.i");
  check("second half rewritten", call(at), 9);
  straddle(pages[0], pages[1], 10);
  asm volatile("fence.i");
  check("and again", call(at), 10);

  /* A block that ends exactly at the page's end continues in the next page. */
  pages[0][2047] = 0x0001;          /* nop */
  pages[1][0] = LI_A0(13) & 0xffff; /* li a0, 13 */
  pages[1][1] = LI_A0(13) >> 16;
  pages[1][2] = RET;
  asm volatile("fence.i");
  check("over the edge without straddling", call(at - 2), 13);
  *pte_of(va + PAGE, 0) = 0;
  sfence_page(va + PAGE);
  check("next page missing", TRY("jalr %0", "r"(at - 2)), FETCH_PAGE);
  check("epc is the next page's", m_trap.epc, va + PAGE);
  check("tval too", m_trap.tval, va + PAGE);
  return 0;
}

/* Code that maps its own page to another frame. After the fence the other frame's code runs. */
static u64 changes_itself(u64 va) {
  volatile u64 *entry = pte_of(va, 0);
  u64 result;
  *entry = (u64)pages[2] >> 12 << 10 | RX;
  sfence_all();
  asm volatile(
      "mv a1, %1\n\t"
      "mv a2, %2\n\t"
      "jalr %3\n\t"
      "mv %0, a0"
      : "=r"(result)
      : "r"(entry), "r"((u64)pages[3] >> 12 << 10 | RX), "r"(va + 0x100)
      : "a0", "a1", "a2", "ra", "memory");
  return result;
}

static void put_word(u16 *page, u32 at, u32 word) {
  page[at / 2] = word;
  page[at / 2 + 1] = word >> 16;
}

static u64 targets(u64 va) {
  map(va, (u64)pages[0], RX, 0);
  map(va + PAGE, (u64)pages[1], PTE_V | PTE_R | PTE_AD, 0);
  sfence_all();
  check("jump to a page without X", TRY("jr %0", "r"(va + PAGE + 0x20)), FETCH_PAGE);
  check("epc is the target", m_trap.epc, va + PAGE + 0x20);
  check("bit 0 of a target is dropped", TRY("jr %0", "r"(va + PAGE + 0x21)), FETCH_PAGE);
  check("epc is even", m_trap.epc, va + PAGE + 0x20);
  check("tval is even", m_trap.tval, va + PAGE + 0x20);
  check("link is written before the fault", TRY("jalr t2, 0(%0)", "r"(va + PAGE)), FETCH_PAGE);
  return 0;
}

int main(void) {
  straddle(pages[0], pages[2], 5);
  straddle(pages[0], pages[1], 6);
  for (int i = 2; i < 4; i++) {
    put_word(pages[i], 0x100, 0x00c5b023);            /* sd a2, 0(a1) */
    put_word(pages[i], 0x104, 0x12000073);            /* sfence.vma */
    put_word(pages[i], 0x108, LI_A0(i == 2 ? 70 : 80));
    pages[i][0x10c / 2] = RET;
  }
  asm volatile("fence.i");
  vm_init();
  pte_of(FREE_VA, 0);
  pte_of(FREE_VA + PAGE, 0);
  vm_on();
  run_in(S, over_two_pages, FREE_VA, 0);
  /* QEMU continues with the code that it translated before the fence. */
  for (int i = 0; i < 3; i++) strict("code changes its own mapping", run_in(S, changes_itself, FREE_VA, 0), 80);
  run_in(S, targets, FREE_VA, 0);
  return 0;
}

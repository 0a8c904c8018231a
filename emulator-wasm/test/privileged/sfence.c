/* sfence.vma in all its forms, address spaces and global pages (privileged specification 4.2.1). */
#include "runtime.h"
#include "vm.h"

#define RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD)
#define SPACE 5UL

static u64 pages[2][512] __attribute__((aligned(4096)));
/* RAM of two 2 MiB pages that no program uses. */
#define MEGA_A 0x82000000UL
#define MEGA_B 0x82200000UL

enum form { ALL, ADDRESS, ASID, ADDRESS_ASID, FORMS };
static const char *form_names[] = {"sfence.vma", "sfence.vma va", "sfence.vma x0, asid", "sfence.vma va, asid"};
static enum form form;

static void fence(u64 va) {
  switch (form) {
    case ALL: return sfence_all();
    case ADDRESS: return sfence_page(va);
    case ASID: return sfence_asid(SPACE);
    default: return sfence_page_asid(va, SPACE);
  }
}

static u64 load(u64 va) { return *(volatile u64 *)va; }

static u64 call(u64 va) {
  u64 result;
  asm volatile("jalr %1\n\tmv %0, a0" : "=r"(result) : "r"(va + 0x800) : "ra", "a0", "memory");
  return result;
}

/* In S-mode, where the same hart uses, changes and fences everything. */
static u64 in_s(u64 va) {
  const char *name = form_names[form];
  volatile u64 *entry = pte_of(va, 0);
  u64 first = (u64)pages[0] >> 12 << 10 | RWX;
  u64 second = (u64)pages[1] >> 12 << 10 | RWX;

  *entry = first;
  fence(va);
  check(name, load(va), 1);
  check(name, call(va), 11);
  *entry = second;
  fence(va);
  check(name, load(va), 2);
  check(name, call(va), 12);
  *(volatile u64 *)(va + 8) = 99;
  check(name, pages[1][1], 99);
  pages[1][1] = 0;

  /* Removes and restores each permission. */
  *entry = second & ~PTE_W;
  fence(va);
  check(name, TRY("sd zero, 8(%0)", "r"(va)), STORE_PAGE);
  check(name, TRY("ld t2, 8(%0)", "r"(va)), NONE);
  *entry = second & ~PTE_X;
  fence(va);
  check(name, TRY("jalr %0", "r"(va + 0x800)), FETCH_PAGE);
  check(name, TRY("sd zero, 8(%0)", "r"(va)), NONE);
  *entry = second & ~(PTE_R | PTE_W);
  fence(va);
  check(name, TRY("ld t2, 8(%0)", "r"(va)), LOAD_PAGE);
  check(name, TRY("li a0, 0\n\tjalr %0\n\tmv t2, a0", "r"(va + 0x800)), NONE);
  *entry = second | PTE_U;
  fence(va);
  check(name, TRY("ld t2, 8(%0)", "r"(va)), LOAD_PAGE);
  check(name, TRY("jalr %0", "r"(va + 0x800)), FETCH_PAGE);
  *entry = 0;
  fence(va);
  check(name, TRY("ld t2, 8(%0)", "r"(va)), LOAD_PAGE);
  check(name, TRY("sd t2, 8(%0)", "r"(va)), STORE_PAGE);
  check(name, TRY("jalr %0", "r"(va + 0x800)), FETCH_PAGE);
  /* A fault is not cached, because we announce svvptc. */
  *entry = first;
  check("no fence after a fault", load(va), 1);
  check("no fence after a fault", call(va), 11);

  /* A and D must be set again after they are cleared. */
  *entry = first & ~PTE_AD;
  fence(va);
  load(va);
  check(name, *entry & PTE_AD, PTE_A);
  *(volatile u64 *)(va + 8) = 1;
  check(name, *entry & PTE_AD, PTE_AD);
  *entry = first & ~PTE_D;
  fence(va);
  *(volatile u64 *)(va + 8) = 1;
  check(name, *entry & PTE_AD, PTE_AD);
  return 0;
}

/* A fence for any address in a superpage covers all of it. */
static u64 superpage(u64 va) {
  const char *name = form_names[form];
  volatile u64 *entry = pte_of(va, 1);
  u64 first = MEGA_A >> 12 << 10 | RWX;
  u64 second = MEGA_B >> 12 << 10 | RWX;
  *entry = first;
  fence(va);
  for (u64 at = 0; at < MEGA; at += 16 * PAGE) check(name, load(va + at), 0xa000 + at);
  check(name, call(va), 21);
  check(name, call(va + 16 * PAGE), 21);
  *entry = second;
  fence(va + 5 * PAGE);
  for (u64 at = 0; at < MEGA; at += 16 * PAGE) check(name, load(va + at), 0xb000 + at);
  check(name, call(va), 22);
  check(name, call(va + 16 * PAGE), 22);
  /* The superpage split into small pages. */
  *entry = 0;
  for (u64 at = 0; at < MEGA; at += PAGE) *pte_of(va + at, 0) = (MEGA_A + MEGA - PAGE - at) >> 12 << 10 | RWX;
  form == ASID ? sfence_asid(SPACE) : sfence_all();
  for (u64 at = 0; at < MEGA; at += PAGE) {
    if ((MEGA - PAGE - at) % (16 * PAGE) == 0) check("split", load(va + at), 0xa000 + MEGA - PAGE - at);
  }
  *entry = 0;
  sfence_all();
  return 0;
}

static void fill(u64 base, u64 value, u32 constant) {
  for (u64 at = 0; at < MEGA; at += 16 * PAGE) *(volatile u64 *)(base + at) = value + at;
  for (u64 at = 0; at < 2 * 16 * PAGE; at += 16 * PAGE) {
    *(volatile u32 *)(base + at + 0x800) = 0x00000513 | constant << 20; /* li a0, constant */
    *(volatile u32 *)(base + at + 0x804) = 0x00008067;                  /* ret */
  }
}

static u64 switch_space(u64 asid) {
  WRITE_CSR(satp, satp_for(asid));
  return load(FREE_VA);
}

static u64 switch_and_call(u64 asid) {
  WRITE_CSR(satp, satp_for(asid));
  return call(FREE_VA);
}

/* The same tables under several ASIDs are separate spaces, which must not see each other's cached entries. */
static void spaces(void) {
  sfence_all();
  map(FREE_VA, (u64)pages[0], RWX, 0);
  sfence_all();
  check("space 1 sees the first page", run_in(S, switch_space, 1, 0), 1);
  check("space 1 runs the first page", run_in(S, switch_and_call, 1, 0), 11);
  map(FREE_VA, (u64)pages[1], RWX, 0);
  check("space 2 sees the second", run_in(S, switch_space, 2, 0), 2);
  check("space 2 runs the second", run_in(S, switch_and_call, 2, 0), 12);
  sfence_asid(1);
  check("space 1 sees it after its fence", run_in(S, switch_space, 1, 0), 2);
  check("space 1 runs it after its fence", run_in(S, switch_and_call, 1, 0), 12);
  /* A fence for one page in another space does not affect this space. */
  map(FREE_VA, (u64)pages[0], RWX, 0);
  sfence_page_asid(FREE_VA, 1);
  check("space 1 sees the first again", run_in(S, switch_space, 1, 0), 1);
  sfence_page_asid(FREE_VA, 2);
  check("space 2 sees the first too", run_in(S, switch_space, 2, 0), 1);
  /* A fence without an ASID affects every space. */
  map(FREE_VA, (u64)pages[1], RWX, 0);
  sfence_page(FREE_VA);
  check("space 1, fenced by address", run_in(S, switch_space, 1, 0), 2);
  check("space 2, fenced by address", run_in(S, switch_space, 2, 0), 2);
  check("space 1, its code too", run_in(S, switch_and_call, 1, 0), 12);
  map(FREE_VA, (u64)pages[0], RWX, 0);
  sfence_all();
  check("space 1, all fenced", run_in(S, switch_space, 1, 0), 1);
  check("space 2, all fenced", run_in(S, switch_space, 2, 0), 1);
  check("space 2, its code too", run_in(S, switch_and_call, 2, 0), 11);
  for (u64 asid = 3; asid < 40; asid++) {
    map(FREE_VA, (u64)pages[asid & 1], RWX, 0);
    check("a new space has no past", run_in(S, switch_space, asid, 0), 1 + (asid & 1));
    check("nor for code", run_in(S, switch_and_call, asid, 0), 11 + (asid & 1));
  }
  WRITE_CSR(satp, satp_for(SPACE));
}

static void global(void) {
  map(FREE_VA, (u64)pages[0], RWX | PTE_G, 0);
  sfence_all();
  check("global page, space 1", run_in(S, switch_space, 1, 0), 1);
  check("global page, space 2", run_in(S, switch_space, 2, 0), 1);
  map(FREE_VA, (u64)pages[1], RWX | PTE_G, 0);
  sfence_page(FREE_VA);
  check("fenced by address, space 1", run_in(S, switch_space, 1, 0), 2);
  check("fenced by address, space 2", run_in(S, switch_space, 2, 0), 2);
  check("fenced by address, code", run_in(S, switch_and_call, 2, 0), 12);
  map(FREE_VA, (u64)pages[0], RWX | PTE_G, 0);
  sfence_all();
  check("fenced, space 1", run_in(S, switch_space, 1, 0), 1);
  check("fenced, space 2", run_in(S, switch_space, 2, 0), 1);
  map(FREE_VA, 0, 0, 0);
  WRITE_CSR(satp, satp_for(SPACE));
  sfence_all();
}

/* More pages than any TLB has entries, twice in succession. */
static u64 many(u64 va) {
  for (u64 round = 0; round < 2; round++) {
    for (u64 n = 0; n < 512; n++) *pte_of(va + n * PAGE, 0) = ((MEGA_A + n * PAGE) >> 12 << 10 | RWX) + (round << 19);
    sfence_all();
    for (u64 n = 0; n < 512; n += 16) check("many pages", load(va + n * PAGE), (round ? 0xb000 : 0xa000) + n * PAGE);
  }
  return 0;
}

int main(void) {
  for (u32 i = 0; i < 2; i++) {
    pages[i][0] = 1 + i;
    ((volatile u32 *)pages[i])[0x800 / 4] = 0x00000513 | (11 + i) << 20;
    ((volatile u32 *)pages[i])[0x804 / 4] = 0x00008067;
  }
  fill(MEGA_A, 0xa000, 21);
  fill(MEGA_B, 0xb000, 22);
  asm volatile("fence.i");
  vm_init();
  /* The tables exist before translation needs them. */
  pte_of(FREE_VA, 0);
  WRITE_CSR(satp, satp_for(SPACE));
  sfence_all();
  for (form = ALL; form < FORMS; form++) {
    run_in(S, in_s, FREE_VA, 0);
    run_in(S, superpage, FREE_VA + GIGA, 0);
  }
  spaces();
  global();
  run_in(S, many, FREE_VA + 2 * GIGA, 0);
  return 0;
}

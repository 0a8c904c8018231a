/*
 * Code that a disk reads into the second page of a loop, while a thread runs it: three versions, one after
 * the other. After riscv_flush_icache, no thread may run what was there before.
 */
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
enum { VERSIONS = 3, CHANGES = 300, WAYS = 8, ROUNDS = 10000 };

/*
 * a0: rounds. Adds to a1, a2 or a3 in each round: whichever the second page has. All but the first of the
 * ways in are first taken when the loop has run already, so that it can be compiled as a whole.
 */
extern u32 ways[], part[], part_end[];
asm(".option push\n.option norvc\n"
    ".balign 4096\n"
    "ways:\n"
    "  .rept 8\n"
    "  li a4, 0\n"
    "  j 1f\n"
    "  .endr\n"
    "1: addi a0, a0, -1\n"
    "  j part\n"
    "back: bnez a0, 1b\n"
    "  ret\n"
    ".balign 4096\n"
    "part: addi a1, a1, 1\n" /* or a2, or a3 */
    "  j back\n"
    "part_end:\n"
    ".balign 4096\n"
    ".option pop\n");

static u32 *code;
static volatile u64 published, runs, wrong;
static volatile int ended;

/* Adds the rounds with each version. */
static void run(u64 way, u64 *rounds) {
  register u64 a0 asm("a0") = ROUNDS;
  register u64 a1 asm("a1") = rounds[0];
  register u64 a2 asm("a2") = rounds[1];
  register u64 a3 asm("a3") = rounds[2];
  asm volatile("jalr %[at]"
               : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3)
               : [at] "r"(code + 2 * way)
               : "ra", "a4", "memory");
  rounds[0] = a1, rounds[1] = a2, rounds[2] = a3;
}

static void *runner(void *unused) {
  (void)unused;
  while (!ended) {
    u64 rounds[VERSIONS] = {0, 0, 0};
    u64 least = __atomic_load_n(&published, __ATOMIC_ACQUIRE);
    run(runs % WAYS, rounds);
    u64 most = __atomic_load_n(&published, __ATOMIC_ACQUIRE);
    /* The next version may be there already. The one before may not, if it is not among these. */
    if (most == least && rounds[(least + VERSIONS - 1) % VERSIONS]) wrong++;
    if (rounds[0] + rounds[1] + rounds[2] != ROUNDS) wrong++;
    runs++;
  }
  return NULL;
}

static int open_disk(void) {
  if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) != 0) must(errno == EBUSY);
  int disk = open("/dev/vda", O_RDWR | O_DIRECT);
  must(disk >= 0);
  return disk;
}

int main(void) {
  int disk = open_disk();
  u32 *page = map_pages(1, PROT_READ | PROT_WRITE);
  memcpy(page, part, (char *)part_end - (char *)part);
  for (u64 version = 0; version < VERSIONS; version++) {
    page[0] = addi(A1 + version, A1 + version, 1);
    must(pwrite(disk, page, PAGE, version * PAGE) == PAGE);
  }
  code = map_pages(2, RWX);
  memcpy(code, ways, 2 * PAGE);
  flush_code(code, 2 * PAGE);
  pthread_t thread;
  must(pthread_create(&thread, NULL, runner, NULL) == 0);
  for (u64 n = 1; n <= CHANGES; n++) {
    u64 version = n % VERSIONS;
    must(pread(disk, (char *)code + PAGE, PAGE, version * PAGE) == PAGE);
    flush_code(code, 2 * PAGE);
    __atomic_store_n(&published, n, __ATOMIC_RELEASE);
    for (u64 before = runs; runs < before + 3;) usleep(100);
    u64 rounds[VERSIONS] = {0, 0, 0};
    run(n % WAYS, rounds);
    check("runs what was read", rounds[version], ROUNDS);
  }
  ended = 1;
  must(pthread_join(thread, NULL) == 0);
  check("runs of code that is gone", wrong, 0);
  check("runs", runs >= 3 * CHANGES, 1);
  return report();
}

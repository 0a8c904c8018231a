/* Code that changes while it is hot, in all ways in which a process gets other instructions at an address. */
#include "check.h"
#include "../privileged/runtime/common/collide.h"
#include <pthread.h>
#include <sys/wait.h>

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

/* a0 += step, a1 times. */
static u64 write_loop(volatile u32 *at, u32 step) {
  at[0] = addi(A0, A0, step);
  at[1] = addi(A1, A1, -1);
  at[2] = bnez(A1, -8);
  at[3] = RET;
  return 16;
}

static void rewritten(void) {
  volatile u32 *at = map_pages(1, RWX);
  for (u32 step = 1; step <= 5; step++) {
    flush_code(at, write_loop(at, step));
    check("rewritten", call(at, 7, HOT), 7 + HOT * step);
  }
  /* Changes one instruction and enters the loop again at once. */
  for (u32 step = 1; step <= 200; step++) {
    at[0] = addi(A0, A0, step);
    flush_code(at, 4);
    check("an instruction rewritten", call(at, 7, 5000), 7 + 5000 * step);
  }
  munmap((void *)at, PAGE);
}

static volatile u32 *rewriting;
static void rewrite(u64 step) {
  rewriting[2] = addi(A0, A0, step);
  flush_code(rewriting, 64);
}

/* A loop that calls the function that changes it, so the code changes while it runs. */
static void changed_by_callee(void) {
  volatile u32 *at = map_pages(1, RWX);
  rewriting = at;
  u32 n = 0;
  at[n++] = addi(2, 2, -16);
  at[n++] = i_type(0x23, 3, 8, 2, RA); /* sd ra, 8(sp) */
  at[n++] = addi(A0, A0, 1);           /* loop: rewritten */
  at[n++] = addi(A1, A1, -1);
  at[n++] = i_type(0x13, 7, T1, A1, 0xff); /* andi t1, a1, 255 */
  u32 skip = n++;
  at[n++] = addi(2, 2, -32);
  at[n++] = 0x00a13023; /* sd a0, 0(sp) */
  at[n++] = 0x00b13423; /* sd a1, 8(sp) */
  at[n++] = 0x00c13823; /* sd a2, 16(sp) */
  at[n++] = i_type(0x13, 5, A0, A1, 8); /* srli a0, a1, 8 */
  at[n++] = i_type(0x13, 7, A0, A0, 0x7f);
  at[n++] = i_type(0x67, 0, RA, A2, 0); /* jalr a2 */
  at[n++] = 0x00013503; /* ld a0, 0(sp) */
  at[n++] = 0x00813583; /* ld a1, 8(sp) */
  at[n++] = 0x01013603; /* ld a2, 16(sp) */
  at[n++] = addi(2, 2, 32);
  at[skip] = bnez(T1, (n - skip) * 4);
  at[n] = bnez(A1, ((i64)2 - n) * 4), n++;
  at[n++] = 0x00813083; /* ld ra, 8(sp) */
  at[n++] = addi(2, 2, 16);
  at[n++] = RET;
  flush_code(at, n * 4);
  u64 expected = 0, step = 1, count = 256 * 400;
  for (u64 left = count; left-- > 0;) {
    expected += step;
    if ((left & 0xff) == 0) step = left >> 8 & 0x7f;
  }
  u64 (*loop)(u64, u64, void (*)(u64)) = (void *)at;
  check("changed by what it calls", loop(0, count, rewrite), expected);
  munmap((void *)at, PAGE);
}

static void two_mappings(void) {
  int file = memfd_create("code", 0);
  must(file >= 0 && ftruncate(file, 4 * PAGE) == 0);
  volatile u32 *writable = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  volatile u32 *first = mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  volatile u32 *second = mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  must(writable != MAP_FAILED && first != MAP_FAILED && second != MAP_FAILED);
  for (u32 step = 1; step <= 4; step++) {
    u32 at = step * 900;
    flush_code(first + at, write_loop(writable + at, step));
    check("by another mapping", call(first + at, 0, HOT), HOT * step);
    writable[at] = addi(A0, A0, 10 * step);
    flush_code(second + at, 16);
    check("and by a third", call(second + at, 0, HOT), HOT * 10 * step);
    check("and again", call(first + at, 0, 1000), 10000 * step);
  }
  munmap((void *)writable, 4 * PAGE);
  munmap((void *)first, 4 * PAGE);
  munmap((void *)second, 4 * PAGE);
  close(file);
}

/* A compiler for straight-line programs on three registers, and an interpreter that checks it. */
#define MAX_STEPS 60
enum kind { ADD, SUB, XOR, MUL, ADDI, XORI, SLLI, SRLI, KINDS };
struct step {
  enum kind kind;
  u32 rd, rs1, rs2;
  i64 n;
};

static struct step random_step(void) {
  u64 r = random_number();
  struct step step = {.kind = r % KINDS, .rd = r >> 8 & 1, .rs1 = (r >> 9) % 3, .rs2 = (r >> 17) % 3};
  step.n = step.kind >= SLLI ? (i64)(r >> 33 & 63) : (i64)(r >> 33 & 0xfff) - 2048;
  return step;
}

static const u32 REGISTERS[] = {A0, T1, T2};

static u32 encode(const struct step *s) {
  u32 rd = REGISTERS[s->rd], rs1 = REGISTERS[s->rs1], rs2 = REGISTERS[s->rs2];
  switch (s->kind) {
    case ADD: return add(rd, rs1, rs2);
    case SUB: return sub(rd, rs1, rs2);
    case XOR: return xor(rd, rs1, rs2);
    case MUL: return mul(rd, rs1, rs2);
    case ADDI: return addi(rd, rs1, s->n);
    case XORI: return xori(rd, rs1, s->n);
    case SLLI: return slli(rd, rs1, s->n);
    default: return srli(rd, rs1, s->n);
  }
}

static void interpret(const struct step *s, u64 *x) {
  u64 a = x[s->rs1], b = x[s->rs2];
  u64 results[] = {a + b, a - b, a ^ b, a * b, a + s->n, a ^ s->n, a << (s->n & 63), a >> (s->n & 63)};
  x[s->rd] = results[s->kind];
}

/* Many programs in succession in sixteen pages, each run for a while. */
static void little_compiler(void) {
  u32 words = 16 * PAGE / 4;
  volatile u32 *code = map_pages(16, RWX);
  u32 next = 0;
  for (int program = 0; program < 400; program++) {
    struct step steps[MAX_STEPS];
    u32 count = 1 + random_number() % MAX_STEPS;
    if (next + count + 8 > words) next = 0;
    volatile u32 *at = code + next;
    u32 n = 0;
    at[n++] = addi(T1, ZERO, 1);
    at[n++] = addi(T2, A1, 0);
    for (u32 k = 0; k < count; k++) {
      steps[k] = random_step();
      at[n++] = encode(&steps[k]);
    }
    at[n++] = addi(A1, A1, -1);
    at[n++] = addi(T2, A1, 0);
    at[n] = bnez(A1, -(i64)(count + 2) * 4), n++;
    at[n++] = RET;
    flush_code(at, n * 4);
    next += n;
    u64 runs = program % 8 == 0 ? 20000 : 300;
    u64 x[3] = {program, 1, runs};
    for (u64 left = runs; left > 0; x[2] = --left) {
      for (u32 k = 0; k < count; k++) interpret(&steps[k], x);
    }
    check("compiled", call(at, program, runs), x[0]);
  }
  munmap((void *)code, 16 * PAGE);
}

static void many_pages(void) {
  enum { PAGES = 600 };
  u8 *code = map_pages(PAGES, RWX);
  u32 steps[PAGES];
  u64 sum = 0;
#define FUNCTION(n) ((volatile u32 *)(code + (n) * PAGE + (n) % 64 * 16))
  for (u32 n = 0; n < PAGES; n++) {
    write_loop(FUNCTION(n), steps[n] = n);
    sum += n;
  }
  flush_code(code, PAGES * PAGE);
  for (u32 round = 0; round < 30; round++) {
    u64 got = 0;
    for (u32 n = 0; n < PAGES; n++) got = call(FUNCTION(n), got, 20);
    check("many pages", got, 20 * sum);
    for (int change = 0; change < 10; change++) {
      u32 n = random_number() % PAGES, step = random_number() % 2000;
      FUNCTION(n)[0] = addi(A0, A0, step);
      flush_code(FUNCTION(n), 4);
      sum += (u64)step - steps[n];
      steps[n] = step;
    }
  }
  munmap(code, PAGES * PAGE);
}

/* Addresses that are unmapped, and mapped again to other contents, from a file or as a copy. */
static void mapped_anew(void) {
  void *at = map_pages(2, PROT_NONE);
  for (u32 round = 1; round <= 60; round++) {
    u64 runs = round % 20 == 0 ? HOT : 3000;
    if (round % 2) {
      int file = memfd_create("code", 0);
      u32 code[2 * PAGE / 4] = {0};
      write_loop(code + PAGE / 4, round);
      must(write(file, code, sizeof code) == sizeof code);
      must(mmap(at, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, 0) == at);
      close(file);
    } else {
      must(mmap(at, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
      u64 bytes = write_loop((volatile u32 *)(at + PAGE), round);
      must(mprotect(at, 2 * PAGE, PROT_READ | PROT_EXEC) == 0);
      flush_code(at + PAGE, bytes);
    }
    check("mapped again", call(at + PAGE, 1, runs), 1 + runs * round);
    must(munmap(at, 2 * PAGE) == 0);
  }
}

/* Pages that move from one address to another. */
static void moved(void) {
  u8 *code = map_pages(2, RWX);
  write_loop((volatile u32 *)code, 1);
  write_loop((volatile u32 *)(code + PAGE), 2);
  flush_code(code, 2 * PAGE);
  check("before", call(code, 0, HOT), HOT);
  check("before", call(code + PAGE, 0, HOT), 2 * HOT);
  u8 *other = map_pages(1, PROT_NONE);
  for (int round = 0; round < 20; round++) {
    must(mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
    must(mremap(code + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, code) == code);
    must(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, code + PAGE) == code + PAGE);
    check("moved", call(code, 0, 5000), 5000 * (round % 2 ? 1 : 2));
    check("moved", call(code + PAGE, 0, 5000), 5000 * (round % 2 ? 2 : 1));
  }
  munmap(code, 2 * PAGE);
}

static int status_of(pid_t child) {
  int status = 0;
  must(waitpid(child, &status, 0) == child);
  return status;
}

/* Parent and child each change their copy of a page. */
static void copied(void) {
  volatile u32 *at = map_pages(1, RWX);
  flush_code(at, write_loop(at, 1));
  check("before", call(at, 0, HOT), HOT);
  for (u32 round = 1; round <= 60; round++) {
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
      int right = call(at, 0, 2000) == 2000 * round;
      flush_code(at, write_loop(at, 1000 + round));
      _exit(right && call(at, 0, 2000) == 2000 * (1000UL + round) ? 0 : 1);
    }
    check("parent's", call(at, 0, 2000), 2000 * round);
    at[0] = addi(A0, A0, round + 1);
    flush_code(at, 4);
    check("changed by the parent", call(at, 0, 2000), 2000 * (round + 1));
    check("child's", status_of(child), 0);
  }
  munmap((void *)at, PAGE);
}

/* A process leaves hot code in pages that a hash without a key takes for those of the next process. */
static void left_by_another(void) {
  enum { PAGES = 64, CALLS = 40000 };
  static u64 first[512], second[512];
  u32 *loops[] = { (u32 *)first, (u32 *)second };
  for (u32 i = 0; i < 2; i++) write_loop(loops[i], i + 1);
  collide(first, second);
  for (u32 round = 0; round < 2; round++) {
    for (u32 i = 0; i < 2; i++) {
      pid_t child = fork();
      must(child >= 0);
      if (child == 0) {
        char *pages = map_pages(PAGES, RWX);
        for (u32 n = 0; n < PAGES; n++) memcpy(pages + n * PAGE, loops[i], PAGE);
        flush_code((u32 *)pages, PAGES * PAGE);
        u32 wrong = 0;
        for (u32 n = 0; n < PAGES; n++) wrong += call((u32 *)(pages + n * PAGE), 0, CALLS) != CALLS * (i + 1UL);
        _exit(wrong != 0);
      }
      check("another's code", status_of(child), 0);
    }
  }
}

/* One thread changes code that others run. They see the code published before they looked, or newer code. */
static volatile u32 *shared;
static volatile u64 published;
static volatile int ended;

static void *runner(void *unused) {
  (void)unused;
  u64 wrong = 0, runs = 0;
  while (!ended) {
    u64 least = __atomic_load_n(&published, __ATOMIC_ACQUIRE);
    u64 found = call(shared, 0, 20) / 20;
    if (found < least || found > __atomic_load_n(&published, __ATOMIC_ACQUIRE) + 1) wrong++;
    runs++;
  }
  check("each thread ran it", runs > 0, 1);
  return (void *)wrong;
}

static void changed_by_a_thread(void) {
  enum { THREADS = 3, CHANGES = 400 };
  shared = map_pages(1, RWX);
  flush_code(shared, write_loop(shared, 0));
  pthread_t threads[THREADS];
  for (int n = 0; n < THREADS; n++) must(pthread_create(&threads[n], NULL, runner, NULL) == 0);
  for (u64 step = 1; step <= CHANGES; step++) {
    shared[0] = addi(A0, A0, step);
    flush_code(shared, 4);
    __atomic_store_n(&published, step, __ATOMIC_RELEASE);
    check("by the thread that changed it", call(shared, 0, 1000), 1000 * step);
    if (step % 20 == 0) usleep(1000);
  }
  ended = 1;
  for (int n = 0; n < THREADS; n++) {
    void *wrong;
    must(pthread_join(threads[n], &wrong) == 0);
    check("stale in another thread", (u64)wrong, 0);
  }
}

int main(void) {
  rewritten();
  changed_by_callee();
  two_mappings();
  little_compiler();
  many_pages();
  mapped_anew();
  moved();
  copied();
  left_by_another();
  changed_by_a_thread();
  return report();
}

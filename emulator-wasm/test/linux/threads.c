/* Threads that share memory in hot loops: locks, atomics, reservations, and the order of visible stores. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 4 };

static void in_all_threads(void *(*function)(void *)) {
  pthread_t threads[THREADS];
  for (u64 n = 0; n < THREADS; n++) must(pthread_create(&threads[n], NULL, function, (void *)n) == 0);
  for (u64 n = 0; n < THREADS; n++) must(pthread_join(threads[n], NULL) == 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static struct {
  u64 a, b, c;
} guarded;

static void *with_mutex(void *unused) {
  for (u64 n = 0; n < 60000; n++) {
    pthread_mutex_lock(&mutex);
    guarded.a++;
    guarded.b += guarded.a;
    guarded.c ^= guarded.b;
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

static void mutexes(void) {
  in_all_threads(with_mutex);
  u64 b = 0, c = 0;
  for (u64 a = 1; a <= 60000 * THREADS; a++) c ^= b += a;
  check("under a mutex", guarded.a, 60000 * THREADS);
  check("in order", guarded.c, c);
}

static u64 turn;
static void *in_turns(void *number) {
  for (u64 n = 0; n < 1000; n++) {
    pthread_mutex_lock(&mutex);
    while (turn % THREADS != (u64)number) pthread_cond_wait(&condition, &mutex);
    turn++;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void turns(void) {
  in_all_threads(in_turns);
  check("turns", turn, 1000 * THREADS);
}

static _Atomic u64 added, subtracted, flipped, exchanged, compared;
static _Atomic u32 added32, greatest;
static _Atomic u8 added8;
static _Atomic u64 taken_out;

static void *with_atomics(void *number) {
  u64 seed = (u64)number * 977 + 1, sum = 0;
  for (u64 n = 0; n < 200000; n++) {
    atomic_fetch_add(&added, n);
    atomic_fetch_sub_explicit(&subtracted, n, memory_order_relaxed);
    atomic_fetch_xor(&flipped, 1UL << (n & 63));
    atomic_fetch_add_explicit(&added32, 3, memory_order_acq_rel);
    sum += atomic_exchange(&exchanged, n + 1);
    seed = seed * 6364136223846793005 + 1;
    u32 candidate = seed >> 40;
    u32 most = atomic_load_explicit(&greatest, memory_order_relaxed);
    while (candidate > most && !atomic_compare_exchange_weak(&greatest, &most, candidate)) {
    }
    if (n % 4 == 0) {
      atomic_fetch_add(&added8, 1);
      u64 old = atomic_load(&compared);
      while (!atomic_compare_exchange_weak(&compared, &old, old * 5 + 1)) {
      }
    }
  }
  atomic_fetch_add(&taken_out, sum);
  return NULL;
}

static void atomics(void) {
  in_all_threads(with_atomics);
  u64 sum = 200000UL * 199999 / 2 * THREADS, chain = 0;
  u32 most = 0;
  for (u64 n = 0; n < 50000 * THREADS; n++) chain = chain * 5 + 1;
  for (u64 number = 0; number < THREADS; number++) {
    u64 seed = number * 977 + 1;
    for (u64 n = 0; n < 200000; n++) {
      seed = seed * 6364136223846793005 + 1;
      if (seed >> 40 > most) most = seed >> 40;
    }
  }
  check("added", added, sum);
  check("subtracted", subtracted, -sum);
  check("flipped", flipped, 0);
  check("added to a word", added32, 3 * 200000 * THREADS);
  check("added to a byte", added8, (u8)(50000 * THREADS));
  check("exchanged", taken_out + exchanged, sum + 200000UL * THREADS);
  check("greatest", greatest, most);
  check("compared", compared, chain);
}

/* Hand-written LR and SC, with the maximum number of instructions between them. */
static struct {
  u64 value;
  u32 word;
} reserved __attribute__((aligned(64)));

static void *with_reservations(void *unused) {
  for (u64 n = 0; n < 200000; n++) {
    u64 old, failed;
    asm volatile("1:\n\tlr.d.aq %0, (%2)\n\tslli t1, %0, 2\n\tadd t1, t1, %0\n\taddi t1, t1, 7\n\txori t1, t1, 1\n\t"
                 "sc.d.rl %1, t1, (%2)\n\tbnez %1, 1b"
                 : "=&r"(old), "=&r"(failed)
                 : "r"(&reserved.value)
                 : "t1", "memory");
    asm volatile("1:\n\tlr.w %0, (%2)\n\taddiw t1, %0, 1\n\tsc.w %1, t1, (%2)\n\tbnez %1, 1b"
                 : "=&r"(old), "=&r"(failed)
                 : "r"(&reserved.word)
                 : "t1", "memory");
  }
  return unused;
}

static void reservations(void) {
  in_all_threads(with_reservations);
  u64 value = 0;
  for (u64 n = 0; n < 200000 * THREADS; n++) value = (value * 5 + 7) ^ 1;
  check("by LR and SC", reserved.value, value);
  check("words", reserved.word, 200000 * THREADS);
}

/* A spin lock that guards plain variables. */
static _Atomic int lock;
static volatile u64 plain[4];

static void *with_spin_lock(void *unused) {
  for (u64 n = 0; n < 30000; n++) {
    while (atomic_exchange_explicit(&lock, 1, memory_order_acquire)) {
      while (atomic_load_explicit(&lock, memory_order_relaxed)) sched_yield();
    }
    for (int k = 0; k < 4; k++) plain[k]++;
    atomic_store_explicit(&lock, 0, memory_order_release);
  }
  return unused;
}

static void spin_locks(void) {
  in_all_threads(with_spin_lock);
  for (int k = 0; k < 4; k++) check("under a spin lock", plain[k], 30000 * THREADS);
}

/* Messages: a thread that sees the number also sees the earlier writes. */
static struct {
  _Atomic u64 number;
  u64 words[6];
} message;
static _Atomic int finished;

static void write_messages(void) {
  for (u64 n = 1; n <= 300000; n++) {
    atomic_store_explicit(&message.number, 2 * n - 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (int k = 0; k < 6; k++) __atomic_store_n(&message.words[k], n * (k + 1), __ATOMIC_RELAXED);
    atomic_store_explicit(&message.number, 2 * n, memory_order_release);
  }
  finished = 1;
}

static void *read_messages(void *number) {
  if ((u64)number == 0) {
    write_messages();
    return NULL;
  }
  u64 torn = 0, back = 0, last = 0;
  while (!finished) {
    u64 before = atomic_load_explicit(&message.number, memory_order_acquire), words[6];
    for (int k = 0; k < 6; k++) words[k] = __atomic_load_n(&message.words[k], __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_acquire);
    if (before % 2 || before != atomic_load_explicit(&message.number, memory_order_relaxed)) continue;
    for (u64 k = 0; k < 6; k++) torn += words[k] != before / 2 * (k + 1);
    back += before < last;
    last = before;
  }
  check("torn messages", torn, 0);
  check("messages from before", back, 0);
  return NULL;
}

/* Dekker's algorithm: with full fences, at least one of two threads sees the other. */
static _Atomic u32 wants[2];
static volatile u32 in_section;
static u64 collisions;

static void *with_dekker(void *number) {
  u64 me = (u64)number;
  if (me > 1) return NULL;
  for (int n = 0; n < 20000; n++) {
    for (;;) {
      atomic_store_explicit(&wants[me], 1, memory_order_relaxed);
      atomic_thread_fence(memory_order_seq_cst);
      if (!atomic_load_explicit(&wants[1 - me], memory_order_relaxed)) break;
      atomic_store_explicit(&wants[me], 0, memory_order_relaxed);
      if (me || n % 3) sched_yield();
    }
    atomic_thread_fence(memory_order_acquire);
    if (in_section++ != 0) collisions++;
    in_section--;
    atomic_store_explicit(&wants[me], 0, memory_order_release);
  }
  return NULL;
}

int main(void) {
  mutexes();
  turns();
  atomics();
  reservations();
  spin_locks();
  in_all_threads(read_messages);
  in_all_threads(with_dekker);
  check("both in the section", collisions, 0);
  return report();
}

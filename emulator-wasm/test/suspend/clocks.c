/*
 * Tells its clocks and the state of its timers whenever a line arrives on the terminal. One timer expires
 * every 10 ms, another one at a date.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define PERIOD 10000000L
/* The date is this far away, in seconds. */
#define AHEAD 2

static long long now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

static uint64_t expirations(int timer) {
  uint64_t count;
  return read(timer, &count, sizeof count) == sizeof count ? count : 0;
}

static int make_timer(clockid_t clock, int flags, struct itimerspec spec) {
  int timer = timerfd_create(clock, TFD_NONBLOCK);
  if (timer < 0 || timerfd_settime(timer, flags, &spec, NULL) < 0) {
    perror("timerfd");
    exit(1);
  }
  return timer;
}

int main(void) {
  struct timespec date;
  clock_gettime(CLOCK_REALTIME, &date);
  date.tv_sec += AHEAD;
  int alarm = make_timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, (struct itimerspec){.it_value = date});
  struct timespec period = {.tv_nsec = PERIOD};
  long long begin = now(CLOCK_MONOTONIC);
  int ticker = make_timer(CLOCK_MONOTONIC, 0, (struct itimerspec){period, period});
  long long late = -1;
  uint64_t ticks = 0;
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    struct pollfd events[] = {{0, POLLIN, 0}, {ticker, POLLIN, 0}, {alarm, POLLIN, 0}};
    poll(events, 3, -1);
    if (events[1].revents) ticks += expirations(ticker);
    if (events[2].revents && expirations(alarm))
      late = now(CLOCK_REALTIME) - (date.tv_sec * SECOND + date.tv_nsec);
    if (!events[0].revents) continue;
    char line[64];
    if (read(0, line, sizeof line) <= 0) return 0;
    long long before = now(CLOCK_MONOTONIC);
    /* Waits for the interrupts of timers that have expired before. */
    poll(NULL, 0, 1);
    ticks += expirations(ticker);
    long long after = now(CLOCK_MONOTONIC);
    printf("date %lld monotonic %lld least %lld most %lld ticks %llu late %lld;\n", now(CLOCK_REALTIME), after,
           (before - begin) / PERIOD, (after - begin) / PERIOD, (unsigned long long)ticks, late);
    fflush(stdout);
  }
}

#include <linux/random.h>
#include <linux/time_types.h>

#include "cgroup.h"
#include "console.h"
#include "specification.h"
#include "suspend.h"

enum { NANOSECONDS = 1000000000, BITS_PER_BYTE = 8 };

/*
 * The kernel derives new keys for all CPUs from the pool at once, which also makes it drop the random numbers
 * that it holds in stock. Nothing of the bytes stays in memory, which may be saved again.
 */
static void reseed(uint8_t *entropy)
{
	static union {
		struct rand_pool_info info;
		uint8_t bytes[sizeof(struct rand_pool_info) + ENTROPY_SIZE];
	} pool;
	int random = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	pool.info.entropy_count = ENTROPY_SIZE * BITS_PER_BYTE;
	pool.info.buf_size = ENTROPY_SIZE;
	memcpy(pool.info.buf, entropy, ENTROPY_SIZE);
	if (ioctl(random, RNDADDENTROPY, &pool) < 0 || ioctl(random, RNDRESEEDCRNG, 0) < 0)
		say("cannot renew the random number generator: %s", error_text(errno));
	memset(&pool, 0, sizeof(pool));
	memset(entropy, 0, ENTROPY_SIZE);
	close(random);
}

static uint64_t read_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}

static void set_clock(uint64_t tick, uint64_t time)
{
	uint64_t now = time + (read_ticks() - tick) * TICK_NANOSECONDS;
	struct __kernel_timespec seconds = { .tv_sec = now / NANOSECONDS, .tv_nsec = now % NANOSECONDS };

	if (syscall(__NR_clock_settime, CLOCK_REALTIME, &seconds) < 0)
		say("cannot set the clock: %s", error_text(errno));
}

void resume(struct message m)
{
	struct resumption r;

	if (!read_resumption(&m, &r)) {
		say("malformed RESUME message");
		return;
	}
	reseed(r.entropy);
	set_clock(r.tick, r.time);
	cgroup_freeze("", false);
}

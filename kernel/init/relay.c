#include <stdbool.h>

#include "relay.h"
#include "vsock.h"

enum { FROM, TO, ENDED, COPIED, FIRST_UNUSED, BUFFER_SIZE = 1 << 16 };

/* Keeps the descriptors under the numbers above, and no others. */
static void keep(int from, int to, const struct farewell *farewell)
{
	/* All of them are above these numbers. */
	dup2(from, FROM);
	dup2(to, TO);
	if (!farewell) {
		syscall(__NR_close_range, ENDED, ~0u, 0);
		return;
	}
	dup2(farewell->ended, ENDED);
	dup2(farewell->copied, COPIED);
	syscall(__NR_close_range, FIRST_UNUSED, ~0u, 0);
}

/* Returns whether there is more to come. */
static bool copy(void)
{
	static char buffer[BUFFER_SIZE];
	ssize_t n = read(FROM, buffer, sizeof(buffer));

	return n > 0 && write_all(TO, buffer, n) == 0;
}

static void copy_until_ended(void)
{
	struct pollfd events[] = { { .fd = FROM, .events = POLLIN }, { .fd = ENDED, .events = POLLIN } };

	for (;;) {
		poll(events, 2, -1);
		if (events[0].revents) {
			if (!copy())
				exit(0);
		} else if (events[1].revents) {
			return;
		}
	}
}

pid_t relay(int from, int to, const struct farewell *farewell)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	keep(from, to, farewell);
	if (farewell) {
		copy_until_ended();
		close(ENDED);
		close(COPIED);
	}
	while (copy())
		;
	exit(0);
}

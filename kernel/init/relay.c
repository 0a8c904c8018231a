#include <linux/prctl.h>

#include "relay.h"
#include "vsock.h"

enum { FROM, TO, ENDED, COPIED, BUFFER_SIZE = 1 << 16 };

/* Keeps only these descriptors, under the numbers above. */
static void keep(const int *descriptors, int count)
{
	/* All of them are above these numbers, which belong to init's standard streams. */
	for (int i = 0; i < count; i++)
		dup2(descriptors[i], i);
	syscall(__NR_close_range, count, ~0u, 0);
}

/* Returns whether more data may follow. */
static bool copy(void)
{
	static char buffer[BUFFER_SIZE];
	ssize_t n = read(FROM, buffer, sizeof(buffer));

	return n > 0 && write_all(TO, buffer, n) == 0;
}

static void __attribute__((noreturn)) copy_all(void)
{
	while (copy())
		;
	exit(0);
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

bool relay_input(int from, int to)
{
	const int descriptors[] = { from, to };
	pid_t pid = fork();

	if (pid != 0)
		return pid > 0;
	/* It may be waiting for input that never comes. */
	syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	keep(descriptors, 2);
	copy_all();
}

bool relay_output(int from, int to, const struct farewell *farewell)
{
	const int descriptors[] = { from, to, farewell->ended, farewell->copied };
	pid_t pid = fork();

	if (pid != 0)
		return pid > 0;
	keep(descriptors, 4);
	copy_until_ended();
	close(ENDED);
	close(COPIED);
	copy_all();
}

#include "relay.h"

/* More than a pipe or a terminal holds. Users may give a pipe 1 MiB. */
enum { MOST_LEFT = 2 << 20 };

static void stop_blocking(int fd)
{
	int flags = syscall(__NR_fcntl, fd, F_GETFL, 0);

	syscall(__NR_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

void relay_begin(struct relay *r, int from, int to)
{
	stop_blocking(from);
	stop_blocking(to);
	r->from = from;
	r->to = to;
	r->length = 0;
}

struct pollfd relay_event(const struct relay *r)
{
	return r->length > 0 ? (struct pollfd){ .fd = r->to, .events = POLLOUT } :
			       (struct pollfd){ .fd = r->from, .events = POLLIN };
}

void relay_end(struct relay *r)
{
	if (r->from < 0)
		return;
	close(r->from);
	close(r->to);
	r->from = r->to = -1;
	r->length = 0;
}

/* Returns what a read or write has moved, 0 if it would have to wait. Otherwise ends the relay. */
static size_t check(struct relay *r, ssize_t result)
{
	if (result > 0)
		return result;
	if (result == 0 || (errno != EAGAIN && errno != EINTR))
		relay_end(r);
	return 0;
}

size_t relay_copy(struct relay *r)
{
	size_t taken = 0;

	if (r->length == 0) {
		taken = r->length = check(r, read(r->from, r->buffer, sizeof(r->buffer)));
		r->at = 0;
	}
	if (r->length > 0) {
		size_t sent = check(r, write(r->to, r->buffer + r->at, r->length));

		r->at += sent;
		r->length -= sent;
	}
	return taken;
}

/* Waits for events if that is needed, and copies. Returns the number of relays that had an event. */
static int turn(struct relay *relays, unsigned count, bool waits, size_t *taken)
{
	struct pollfd events[MOST_RELAYS];

	for (unsigned i = 0; i < count; i++)
		events[i] = relay_event(&relays[i]);

	int happened = poll(events, count, waits ? -1 : 0);

	for (unsigned i = 0; i < count; i++)
		if (events[i].revents)
			*taken += relay_copy(&relays[i]);
	return happened;
}

static bool any_holds(const struct relay *relays, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (relays[i].length > 0)
			return true;
	return false;
}

static bool any_is_open(const struct relay *relays, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (relays[i].from >= 0)
			return true;
	return false;
}

void relays_drain(struct relay *relays, unsigned count)
{
	size_t taken = 0;

	while (taken < count * MOST_LEFT)
		if (turn(relays, count, any_holds(relays, count), &taken) == 0)
			return;
}

/* Keeps only the relays' descriptors, under the lowest numbers. */
static void keep(struct relay *relays, unsigned count)
{
	int next = 0;

	for (unsigned i = 0; i < count; i++) {
		/* All of them are above these numbers, which belong to init's standard streams. */
		if (relays[i].from < 0)
			continue;
		relays[i].from = dup2(relays[i].from, next++);
		relays[i].to = dup2(relays[i].to, next++);
	}
	syscall(__NR_close_range, next, ~0u, 0);
}

void relays_leave(struct relay *relays, unsigned count)
{
	size_t taken = 0;

	if (!any_is_open(relays, count) || fork() != 0)
		return;
	keep(relays, count);
	while (any_is_open(relays, count))
		turn(relays, count, true, &taken);
	exit(0);
}

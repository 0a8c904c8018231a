#ifndef INIT_RELAY_H
#define INIT_RELAY_H

#include <stdbool.h>

/*
 * Tells a relay that the writer has ended, and reports that the relay has copied all of the writer's output.
 */
struct farewell {
	/* Polled by the relay. Hangs up when the writer has ended. */
	int ended;
	/* Closed by the relay when nothing remains to copy after that. */
	int copied;
};

/*
 * Start a process that copies from one descriptor to the other until either is closed, and holds no other
 * descriptor. Input ends with the process that starts the relay. Processes other than the writer may also
 * hold the source of output, and the relay continues for them. Return whether that worked, and set errno
 * otherwise.
 */
bool relay_input(int from, int to);
bool relay_output(int from, int to, const struct farewell *);

#endif

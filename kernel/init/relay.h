#ifndef INIT_RELAY_H
#define INIT_RELAY_H

#include <stdbool.h>

/* How a relay learns that the writer has ended, and tells that it has copied what that wrote. */
struct farewell {
	/* To poll: hangs up when the writer has ended. */
	int ended;
	/* Closed by the relay when there was nothing left to copy after that. */
	int copied;
};

/*
 * Start a process that copies from one descriptor to the other until either is closed, and holds no other
 * descriptor. Input ends with the process that asks for it. Others than the writer may hold the source of
 * output, which goes on for them. Return whether that worked, or else errno.
 */
bool relay_input(int from, int to);
bool relay_output(int from, int to, const struct farewell *);

#endif

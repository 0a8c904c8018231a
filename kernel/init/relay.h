#ifndef INIT_RELAY_H
#define INIT_RELAY_H

/* How a relay learns that the writer has ended, and tells that it has copied what that wrote. */
struct farewell {
	/* To poll: hangs up when the writer has ended. */
	int ended;
	/* Closed by the relay when there was nothing left to copy after that. */
	int copied;
};

/*
 * Starts a process that copies from one descriptor to the other until either is closed, and holds no
 * other descriptor. Others than the writer may hold the source: for them it goes on after the farewell,
 * which may be NULL. Returns its pid, or -1 and errno.
 */
pid_t relay(int from, int to, const struct farewell *);

#endif

/* A process of a container, looked after from outside: its streams, its terminal, its end. */
#ifndef INIT_SUPERVISOR_H
#define INIT_SUPERVISOR_H

#include "launch.h"
#include "message.h"

/* What init passes on to a supervisor: SIGNAL or RESIZE. */
struct command {
	enum message_type type;
	uint32_t signal;
	uint32_t columns, rows;
};

struct supervisor {
	pid_t pid;
	/* The terminal's two ends, or -1. */
	int master, slave;
	/* To close when the process has ended, and to read until the relays have copied its output. */
	int ended, copied;
};

/*
 * In a child of init: makes it the supervisor of a process, with a stream for messages as standard error, out of
 * reach of signals.
 */
void supervisor_begin(struct supervisor *);

/* Opens the streams or the terminal, of this device, that are asked for, and starts their relays. */
struct streams supervisor_open_streams(struct supervisor *, const struct specification *, const char *ptmx);

/*
 * Starts the process as clone3 says. Returns what fork does; in the parent, the process's ends of the
 * streams are closed then.
 */
struct clone_args;
pid_t supervisor_clone(struct supervisor *, struct clone_args *, const struct streams *);

/*
 * Obeys commands until the process has ended, and waits until its output is on the way to the host. The
 * descriptors are to be read; children tells of ended ones. Returns the exit status.
 */
int supervisor_wait(struct supervisor *, int commands, int children);

/* Says what went wrong, with errno, and exits. */
void supervisor_fail(const char *what, int status) __attribute__((noreturn));

#endif

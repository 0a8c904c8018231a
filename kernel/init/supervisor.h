/* Supervises a process of a container from outside: its streams, its terminal, its end. */
#ifndef INIT_SUPERVISOR_H
#define INIT_SUPERVISOR_H

#include "launch.h"
#include "message.h"
#include "relay.h"

/* A SIGNAL, STOP, KILL or RESIZE that init passes on to a supervisor. */
struct command {
	enum message_type type;
	uint32_t signal;
	uint32_t columns, rows;
};

struct supervisor {
	pid_t pid;
	/* Whether the process is PID 1 of its namespace, which gets only the signals that it handles. */
	bool is_first;
	/* The control group of the process and its descendants. */
	int group;
	/* The terminal's two ends, or -1. */
	int master, slave;
	/* Its input comes first. A terminal has no error. */
	struct relay relays[MOST_RELAYS];
	/* The other end of the pipe that tells whether the program runs. */
	int started;
	/* Tells about errors of the container's kept disk, or -1. */
	int disk_errors;
	/* Tells about fatal signals of an emulated first process, or -1; and the one that has ended it, or 0. */
	int fatal_signals, fatal_signal;
};

/*
 * In a child of init: makes it the supervisor of a process, with a stream for messages as standard error, and
 * blocks all signals. The specification is NULL if it is malformed.
 */
void supervisor_begin(struct supervisor *, const struct specification *);

/* Opens the requested streams, or a terminal of this device, and relays for them. */
struct streams supervisor_open_streams(struct supervisor *, const struct specification *, const char *ptmx);

/*
 * Starts the process with clone3, in the control group. Returns the same values as fork. In the parent, the
 * process's ends of the streams are closed afterwards.
 */
struct clone_args;
pid_t supervisor_clone(struct supervisor *, struct clone_args *, const struct streams *);

/*
 * Relays streams and obeys commands until the process has ended, and its output is on the way to the host.
 * The descriptors deliver commands and ended children. Returns the exit status.
 */
int supervisor_wait(struct supervisor *, int commands, int children);

/* Prints the failure, with errno, and exits. */
void supervisor_fail(const char *what, int status) __attribute__((noreturn));

#endif

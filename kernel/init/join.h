/* Getting into a container that runs. */
#ifndef INIT_JOIN_H
#define INIT_JOIN_H

#include "message.h"

/* How init knows a container. */
struct container {
	char name[NAME_SIZE];
	/* A pidfd of its supervisor, or -1 when there is no such container. */
	int supervisor;
	/* A pipe's end that hangs up when the container can be joined, or never will be. */
	int ready;
};

/*
 * Waits until the container has been made. Returns a pidfd of its first process, for setns, or -1 when it
 * does not run.
 */
int container_join(const struct container *);

#endif

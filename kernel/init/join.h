/* Joining a running container. */
#ifndef INIT_JOIN_H
#define INIT_JOIN_H

#include "message.h"

/* init's record of a container. */
struct container {
	char name[NAME_SIZE];
	/* The name of its control group. */
	char group[NAME_SIZE];
	/* A pidfd of its supervisor, or -1 if there is no such container. */
	int supervisor;
	/* A pipe's end that hangs up when the container can be joined, or when it has failed. */
	int ready;
};

/*
 * Waits until the container is ready. Returns a pidfd of its first process for setns, or -1 if it does not
 * run.
 */
int container_join(const struct container *);

#endif

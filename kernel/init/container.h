#ifndef INIT_CONTAINER_H
#define INIT_CONTAINER_H

#include "message.h"

/*
 * The supervisor's descriptor of the first process, a pidfd, for those that join the container: above all
 * others, and below the limit.
 */
enum { FIRST_PROCESS = 1000 };

/*
 * In a child of init: sets up a container as the rest of a CONTAINER message says and supervises its
 * first process. Exits with that one's status, or 125 when there came none of it. It has its say on a
 * stream of its own. ready is a pipe's end that is held until the container can be joined; the other
 * descriptors are to be read: commands, and ended children.
 */
void container_supervise(const char *name, struct message specification, int ready, int commands, int children)
	__attribute__((noreturn));

#endif

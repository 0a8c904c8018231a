#ifndef INIT_CONTAINER_H
#define INIT_CONTAINER_H

#include "message.h"

/*
 * The number of the supervisor's pidfd of the first process, for processes that join the container. It is
 * above all other descriptors and below the limit.
 */
enum { FIRST_PROCESS = 1000 };

/*
 * In a child of init: sets up a container from the rest of a CONTAINER message and supervises its first
 * process. Exits with that process's status, or 125 if it could not be started. Messages go to a stream of
 * their own. ready is a pipe's end that stays open until the container can be joined. The other descriptors
 * deliver commands and ended children.
 */
void container_supervise(const char *group, struct message specification, int ready, int commands, int children)
	__attribute__((noreturn));

#endif

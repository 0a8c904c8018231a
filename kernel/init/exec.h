#ifndef INIT_EXEC_H
#define INIT_EXEC_H

#include "join.h"
#include "message.h"

/*
 * In a child of init: starts a further process in a container from the rest of an EXEC message, and
 * supervises it. Its control group has the process's number. Exits with its status, or 126 if it could not be
 * started. Descriptors as for container_supervise.
 */
void exec_supervise(uint32_t id, struct message specification, const struct container *, int commands,
		    int children) __attribute__((noreturn));

#endif

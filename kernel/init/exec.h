#ifndef INIT_EXEC_H
#define INIT_EXEC_H

#include "join.h"
#include "message.h"

/*
 * In a child of init: starts a further process in a container, as the rest of an EXEC message says, and
 * supervises it. Exits with its status, or 126 when it could not be started. Descriptors as for
 * container_supervise.
 */
void exec_supervise(struct message specification, const struct container *, int commands, int children)
	__attribute__((noreturn));

#endif

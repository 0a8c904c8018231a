#ifndef INIT_CONTAINER_H
#define INIT_CONTAINER_H

#include "message.h"

/* What init passes on to the supervisor of a container: SIGNAL or RESIZE. */
struct command {
	enum message_type type;
	uint32_t signal;
	uint32_t columns, rows;
};

/*
 * In the child: sets up a container as the rest of a CONTAINER message says, relays its streams and
 * obeys commands, until it has ended and all its output is on the way to the host. Exits with the
 * container's status, or 125 when there came none of it. It has its say on a stream of its own.
 * commands and children are descriptors to read; the latter tells of ended children.
 */
void container_supervise(uint32_t id, struct message specification, int commands, int children)
	__attribute__((noreturn));

#endif

/* A process that connects the host to the TCP ports of a container. */
#ifndef INIT_FORWARD_H
#define INIT_FORWARD_H

#include "join.h"

/* Serves a FORWARD message until the host ends it, or the container has ended. */
void __attribute__((noreturn)) forward(const struct container *);

/* Tells the host of an event, which concerns a connection or a port. */
void forward_report(enum event_type, uint32_t subject, uint32_t detail);

#endif

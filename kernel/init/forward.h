/* A process that connects the host to the TCP ports of a container, or clients in it to the host. */
#ifndef INIT_FORWARD_H
#define INIT_FORWARD_H

#include "join.h"

/*
 * Serves a FORWARD message, or a CHANNEL message if there is a channel's name, until the host ends it, or the
 * container has ended.
 */
void __attribute__((noreturn)) forward(const struct container *, const char *channel);

#endif

/* Turns new namespaces into a container, from within. */
#ifndef INIT_INSIDE_H
#define INIT_INSIDE_H

#include "join.h"
#include "launch.h"
#include "parts.h"

/*
 * In the container's first process: switches from the machine's file systems to the container's, prepares
 * them, and launches the program. The source is that of network_open_source.
 */
void container_enter(const struct specification *, const struct streams *, const struct parts *,
		     int network_source) __attribute__((noreturn));

/* In a child of init: gives a container that runs already the network as it is configured now. */
void container_change_network(const struct container *) __attribute__((noreturn));

#endif

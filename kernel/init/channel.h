/* The socket of a channel, on which programs of a container connect to the host. */
#ifndef INIT_CHANNEL_H
#define INIT_CHANNEL_H

#include "join.h"

/*
 * Makes the socket, from outside the container, whose processes cannot write in the socket's folder. Returns
 * its descriptor, or -1 after printing the reason.
 */
int channel_open(const struct container *, const char *name);

/* Removes the socket, if there is one, and ends this process. */
void channel_leave(void) __attribute__((noreturn));

#endif

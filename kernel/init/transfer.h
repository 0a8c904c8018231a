#ifndef INIT_TRANSFER_H
#define INIT_TRANSFER_H

#include "join.h"
#include "message.h"

/*
 * In a child of init: transfers a file of a container to or from the host, as specified by the rest of a
 * READ_FILE or WRITE_FILE message. Exits with 0; with 1 and a reason on a stream of its own; or with 2 if the
 * content ended early.
 */
void transfer_file(enum message_type, struct message, const struct container *) __attribute__((noreturn));

#endif

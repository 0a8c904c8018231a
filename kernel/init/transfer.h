#ifndef INIT_TRANSFER_H
#define INIT_TRANSFER_H

#include "join.h"
#include "message.h"

/*
 * In a child of init: carries out a request for a file of a container, such as READ_FILE or RENAME_FILE.
 * Exits with 0; with 1 and a reason on a stream of its own; or with 2 if the content of WRITE_FILE ended
 * early.
 */
void serve_file_request(enum message_type, struct message, const struct container *) __attribute__((noreturn));

#endif

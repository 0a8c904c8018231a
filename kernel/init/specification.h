/* What a CONTAINER message says. */
#ifndef INIT_SPECIFICATION_H
#define INIT_SPECIFICATION_H

#include "message.h"

struct specification {
	uint8_t flags;
	uint32_t columns, rows;
	char **arguments, **environment;
	char *directory, *user, *hostname;
	char **volumes;
};

/* Returns whether the message is well-formed. */
bool read_specification(struct message *, struct specification *);

#endif

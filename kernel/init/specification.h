/* What messages about containers say. */
#ifndef INIT_SPECIFICATION_H
#define INIT_SPECIFICATION_H

#include "message.h"

/* Exit statuses, as Docker has them: no container, no process in a container that runs, no program. */
enum { NO_CONTAINER = 125, CANNOT_RUN = 126, NOT_FOUND = 127 };

/* Of CONTAINER and EXEC. */
struct specification {
	uint8_t flags;
	uint32_t columns, rows;
	char **arguments, **environment;
	char *directory, *user;
	/* Of a CONTAINER only; its disks by their serial numbers. */
	char *image, *scratch, *hostname, **volumes;
	/* The exit status when something else than the program is at fault. */
	int failure;
};

/* Of READ_FILE and WRITE_FILE. */
struct file_request {
	const char *path;
	/* Of the latter only. */
	uint32_t mode;
};

/* Return whether the message is well-formed. */
bool read_container(struct message *, struct specification *);
bool read_exec(struct message *, struct specification *);
bool read_file_request(enum message_type, struct message *, struct file_request *);

#endif

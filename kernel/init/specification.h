/* The contents of messages about containers and their network. */
#ifndef INIT_SPECIFICATION_H
#define INIT_SPECIFICATION_H

#include "message.h"

/* Docker's exit statuses: no container, no process in a running container, no program. */
enum { NO_CONTAINER = 125, CANNOT_RUN = 126, NOT_FOUND = 127 };

/* The fields of CONTAINER and EXEC. */
struct specification {
	uint8_t flags;
	uint32_t columns, rows;
	char **arguments, **environment;
	char *directory, *user;
	/* Fields of CONTAINER only. The disks are named by their serial numbers. */
	char *image, *scratch, *hostname, **volumes, **devices;
	/* The disk with the emulator of another processor, and the ELF machine number of its programs, or 0. */
	char *emulator;
	uint8_t machine;
	/*
	 * Shared folders and temporary file systems: for each the name of the folder, or an empty string, a path,
	 * flags of mount in decimal digits, and options of tmpfs.
	 */
	char **mounts;
	/* Whether the container's programs are for another processor. */
	bool emulated;
	/* The exit status of failures that are not the program's. */
	int failure;
};

/* The fields of requests for files. */
struct file_request {
	const char *path;
	/* A field of WRITE_FILE and MAKE_FOLDER. */
	uint32_t mode;
	/* A field of all but READ_FILE, WRITE_FILE and LIST_FOLDER. */
	uint8_t flags;
	/* A field of RENAME_FILE. */
	const char *new_path;
	/* The fields of EXPORT, which has no other: serial numbers of a container's disks, or empty. */
	const char *image, *writable;
};

/* A NETWORK message: how the network card is configured. Addresses are in network byte order. */
struct network {
	uint32_t address, gateway, name_server;
	/* The length of the network's prefix. */
	uint8_t prefix;
};

/* A RESUME message: the time in nanoseconds since 1970 at a tick of the guest's clock, and random bytes. */
struct resumption {
	uint64_t tick, time;
	uint8_t *entropy;
};

/* Return whether the message is well-formed. */
bool read_container(struct message *, struct specification *);
bool read_exec(struct message *, struct specification *);
bool read_file_request(enum message_type, struct message *, struct file_request *);
bool read_network(struct message *, struct network *);
bool read_resumption(struct message *, struct resumption *);

#endif

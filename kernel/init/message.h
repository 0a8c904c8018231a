/* Reading the fields of a message from the host; docs/agent-protocol.md describes them all. */
#ifndef INIT_MESSAGE_H
#define INIT_MESSAGE_H

#include <stdbool.h>

enum message_type {
	RUN = 1,
	HELLO = 2,
	EXIT = 3,
	SIGNAL = 4,
	POWEROFF = 5,
	CONTAINER = 6,
	RESIZE = 7,
	EXEC = 8,
	READ_FILE = 9,
	WRITE_FILE = 10,
	MEASURE = 11,
	USAGE = 12,
};

enum { PROTOCOL_VERSION = 1 };

/* RUN's flag: the process gets the console as its controlling terminal instead of streams. */
enum { RUN_CONSOLE = 1 };

/* The flag of CONTAINER and EXEC: the process gets a terminal. */
enum { WITH_TERMINAL = 1 };

/* WRITE_FILE's mode: that of the file that is replaced, or the usual one. */
#define SAME_MODE (~0u)

/* The unread rest of a message. Every read_ function fails, without moving, past its end. */
struct message {
	char *at, *end;
};

bool read_u8(struct message *, uint8_t *value);
bool read_u32(struct message *, uint32_t *value);

/* A NUL-terminated string, in place; NULL when the NUL is missing. */
char *read_string(struct message *);

/* A count and that many strings. Returns a new array ended by NULL, or NULL when malformed. */
char **read_strings(struct message *);

#endif

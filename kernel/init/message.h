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

enum { PROTOCOL_VERSION = 2 };

/* The host's ports. */
enum { CONTROL_PORT = 1024, STREAM_PORT = 1025 };

/* A frame is its length, and so many bytes. */
enum { LENGTH_SIZE = 4, MAX_LENGTH = 1 << 20 };

/* A process has streams for descriptors below this number, each with a secret token that opens it. */
enum { MAX_STREAMS = 4, TOKEN_SIZE = 16 };

/* Of a container's name, with the NUL. */
enum { NAME_SIZE = 64 };

/* RUN's flag: the process gets the console as its controlling terminal instead of streams. */
enum { RUN_CONSOLE = 1 };

/* The flag of CONTAINER and EXEC: the process gets a terminal. */
enum { WITH_TERMINAL = 1 };

/* WRITE_FILE's mode: that of the file that is replaced, or the usual one. */
enum { SAME_MODE = ~0u };

/* The unread rest of a message. Every read_ function fails, without moving, past its end. */
struct message {
	char *at, *end;
};

bool read_u8(struct message *, uint8_t *value);
bool read_u32(struct message *, uint32_t *value);

/* The tokens of a process's streams, in place; NULL when the message ends before. */
const uint8_t *read_tokens(struct message *);

/* A NUL-terminated string, in place; NULL when the NUL is missing. */
char *read_string(struct message *);

/* A count and that many strings. Returns a new array ended by NULL, or NULL when malformed. */
char **read_strings(struct message *);

#endif

/* Reads the fields of messages from the host, which docs/agent-protocol.md describes. */
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
	STOP = 13,
	LIST_FOLDER = 14,
	STAT_FILE = 15,
	MAKE_FOLDER = 16,
	REMOVE_FILE = 17,
	RENAME_FILE = 18,
	STARTED = 19,
	NETWORK = 20,
	FORWARD = 21,
	KILL = 22,
	CHANNEL = 23,
	WATCH_FILE = 24,
	SUSPEND = 25,
	SUSPENDED = 26,
	RESUME = 27,
	EXPORT = 28,
};

enum { PROTOCOL_VERSION = 8 };

/* The host's ports. */
enum { CONTROL_PORT = 1024, STREAM_PORT = 1025 };

/* A frame is a length and that number of bytes. */
enum { LENGTH_SIZE = 4, MAX_LENGTH = 1 << 20 };

/* A process has streams for descriptors below this number. A secret token opens each stream. */
enum { MAX_STREAMS = 4, TOKEN_SIZE = 16 };

/* The size of a container's name with its NUL. */
enum { NAME_SIZE = 64 };

/* RUN's flag: the process gets the console as its controlling terminal instead of streams. */
enum { RUN_CONSOLE = 1 };

/*
 * Flags of CONTAINER and EXEC: the process gets a terminal; of CONTAINER: it is not PID 1, its root file
 * system is read-only, and its writable disk is kept.
 */
enum { WITH_TERMINAL = 1, WITH_INIT = 2, READ_ONLY = 4, KEPT = 8 };

/* RESUME's random bytes. The guest's ticks (rdtime) are units of this time. */
enum { ENTROPY_SIZE = 32, TICK_NANOSECONDS = 100 };

/* The strings of a shared folder or a temporary file system in CONTAINER. */
enum { MOUNT_FIELDS = 4 };

/* WRITE_FILE's mode for the mode of the replaced file, or the usual one. */
enum { SAME_MODE = ~0u };

/* STAT_FILE's flag: a link at the end of the path is followed. */
enum { FOLLOW_LINK = 1 };

/* MAKE_FOLDER's flag: makes missing parents too, and accepts a folder that exists. */
enum { WITH_PARENTS = 1 };

/* REMOVE_FILE's flag: a folder is removed with its contents. WATCH_FILE's: folders below are watched. */
enum { RECURSIVE = 1 };

/* RENAME_FILE's flag: a file that has the new name is replaced. */
enum { REPLACE = 1 };

/* The first byte of WATCH_FILE's records. A name follows it. */
enum watch_event { FILE_RENAMED = 1, FILE_CHANGED = 2 };

/* A record's flag: the file is the root of a mounted file system. */
enum { MOUNT_POINT = 1 };

/* The size of a record's numbers. Two strings follow them: the name, and the target of a link. */
enum { RECORD_SIZE = 40 };

/* The sizes of a forwarder's records: a command is three numbers and a token, an event three numbers. */
enum { COMMAND_SIZE = 28, EVENT_SIZE = 12 };

enum command_type { CONNECT = 1, CANCEL = 2, WATCH_PORTS = 3, IGNORE_PORTS = 4, ACCEPT = 5 };

enum event_type { REFUSED = 1, PORT_OPENED = 2, PORT_CLOSED = 3 };

/* The unread rest of a message. At its end every read_ function fails without moving. */
struct message {
	char *at, *end;
};

bool read_u8(struct message *, uint8_t *value);
bool read_u32(struct message *, uint32_t *value);
bool read_u64(struct message *, uint64_t *value);

/* Returns the tokens of a process's streams, in place; NULL if the message is too short. */
const uint8_t *read_tokens(struct message *);

/* Returns a NUL-terminated string, in place; NULL if the NUL is missing. */
char *read_string(struct message *);

/* Reads a count and that number of strings. Returns a new array ended by NULL, or NULL if malformed. */
char **read_strings(struct message *);

#endif

/* What the host is told about a file. */
#ifndef INIT_RECORD_H
#define INIT_RECORD_H

#include "message.h"

/* The numbers of a record, in the order of the protocol, without padding. */
struct record {
	uint32_t mode;
	/* The mode of the file that a link leads to, or 0. */
	uint32_t target_mode;
	uint64_t size;
	int64_t modified;
	uint32_t modified_nanoseconds;
	uint32_t uid, gid;
	uint32_t flags;
};

enum { RECORD_LIMIT = RECORD_SIZE + 256 + 4096 };

/* Writes a record with its strings to at least RECORD_LIMIT bytes. Returns its length. */
size_t record_write(char *to, const struct record *, const char *name, const char *target);

#endif

/* Writes a tar archive: ustar with the extended headers of POSIX (pax) where its fields are too small. */
#ifndef INIT_TAR_H
#define INIT_TAR_H

#include <stdbool.h>

/* Types of entries. */
enum { TAR_FILE = '0', TAR_LINK = '1', TAR_SYMLINK = '2', TAR_CHARACTER = '3', TAR_BLOCK = '4', TAR_FOLDER = '5',
       TAR_FIFO = '6' };

struct tar_entry {
	char type;
	const char *path;
	/* Of links; otherwise NULL. */
	const char *target;
	/* Permissions only. */
	uint32_t mode;
	uint32_t uid, gid, major, minor;
	/* Of a file's content, which is written next. */
	uint64_t size;
	int64_t modified;
	uint32_t nanoseconds;
};

/* Begins an archive that goes to this descriptor. */
void tar_begin(int fd);

/* Adds an extended attribute to the next entry. Returns whether there is room for it. */
bool tar_add_attribute(const char *name, const void *value, size_t length);

/* These return whether the bytes could be written; otherwise errno tells why. */
bool tar_write_entry(const struct tar_entry *);
bool tar_write(const void *data, size_t length);

/* Writes as many zeros as complete the content of a file of this size. */
bool tar_pad(uint64_t size);

/* Writes the end of the archive. */
bool tar_end(void);

#endif

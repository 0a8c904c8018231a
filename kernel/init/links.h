/* Remembers files that have several names. */
#ifndef INIT_LINKS_H
#define INIT_LINKS_H

#include <stdbool.h>

/* A file, also after it has been closed. */
struct file_identity {
	uint64_t inode;
	uint32_t major, minor;
};

/*
 * Returns the first path of this file that was passed here; NULL if this is the first, which is then
 * remembered. Memory is bounded, so it may also return NULL for a later one.
 */
const char *links_first_path(const struct file_identity *, const char *path);

#endif

/* Finds a file for root in folders that others may change at any time. */
#ifndef INIT_PATH_H
#define INIT_PATH_H

#include <stdbool.h>

enum { FILE_NAME_SIZE = 256 };

/* A file that may not exist yet: its folder (an O_PATH descriptor) and its name there. */
struct place {
	int folder;
	char name[FILE_NAME_SIZE];
};

/*
 * Resolves a path, including links at its end. Follows a link only if no user but root can have made it,
 * because the links of other users, and those in their folders, could lead root to any file of the system.
 * Returns NULL, or the reason for a failure.
 */
const char *path_resolve(const char *path, struct place *);

/* The same without following a link at the end, which is the file itself. */
const char *path_resolve_name(const char *path, struct place *);

/* Makes a folder and its parents where they are missing, with the same rule for links. */
const char *path_make(const char *path, uint32_t mode);

#endif

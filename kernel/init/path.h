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

#endif

/* Serves a request to watch files. Its process is in the container's mount namespace. */
#ifndef INIT_WATCH_H
#define INIT_WATCH_H

#include <stdbool.h>

/*
 * Sends a record for each change of the file, or in the folder, and with recursive also below that, until the
 * container's first process has ended or there is nothing left to watch. Returns NULL, or the reason for a
 * failure.
 */
const char *watch_file(const char *path, bool recursive, int first_process, int stream);

#endif

#ifndef INIT_FILES_H
#define INIT_FILES_H

#include <stdbool.h>

/*
 * Reads at most size bytes of a file, without waiting for the writer of a pipe. Returns the number of bytes.
 */
size_t read_file(const char *path, char *buffer, size_t size);

/*
 * Returns the number of this base in the line of a short text file that starts with this name and a blank or
 * a tab; 0 without one.
 */
uint64_t read_figure(const char *path, const char *name, int base);

/* Writes to an existing file. */
bool write_file(const char *path, const char *text);

/*
 * Makes a directory and its parents, also at the targets of links on the absolute path. Existing ones are no
 * error. Returns 0, or -1 and errno.
 */
int make_directories(const char *path);

#endif

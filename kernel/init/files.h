#ifndef INIT_FILES_H
#define INIT_FILES_H

#include <stdbool.h>

/* Reads a file, at most size bytes of it, waiting for no writer of a pipe. Returns the bytes read. */
size_t read_file(const char *path, char *buffer, size_t size);

/* The number in the line of a short text file that begins with this name and a blank; 0 without one. */
uint64_t read_figure(const char *path, const char *name);

/* Writes to a file that exists. */
bool write_file(const char *path, const char *text);

/* Makes a directory and those above it. Returns 0, or -1 and errno; existing ones are no error. */
int make_directories(const char *path);

#endif

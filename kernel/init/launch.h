/* From within a container: becomes one of its programs. */
#ifndef INIT_LAUNCH_H
#define INIT_LAUNCH_H

#include "specification.h"

/* Where a process's standard streams come from. */
struct streams {
	/* The number of its terminal, or -1; then the others are open descriptors. */
	int terminal;
	int input, output, error;
};

enum { TERMINAL_PATH_SIZE = 32 };

/* Where a terminal is in the container. Returns path. */
char *terminal_path(int number, char path[TERMINAL_PATH_SIZE]);

/*
 * Becomes the program, with its user, streams and capabilities, and no descriptors but these. When that
 * fails it says why and exits: 127 when there is no such program, 126 when it cannot be run, the
 * specification's failure for everything else.
 */
void launch(const struct specification *, const struct streams *) __attribute__((noreturn));

#endif

/* Executes a program from within a container. */
#ifndef INIT_LAUNCH_H
#define INIT_LAUNCH_H

#include "specification.h"

/* The sources of a process's standard streams. */
struct streams {
	/* The number of its terminal. If it is -1, the others are open descriptors. */
	int terminal;
	int input, output, error;
	/* A pipe that ends when the program runs, after one byte; after none or two if it cannot run. */
	int started;
};

enum { TERMINAL_PATH_SIZE = 32 };

/* Writes the path of a terminal in the container. Returns path. */
char *terminal_path(int number, char path[TERMINAL_PATH_SIZE]);

/*
 * Executes the program with its user, streams and capabilities, and no other descriptors. On failure it
 * prints the reason and exits: with 127 if there is no such program, 126 if it cannot be run, and the
 * specification's failure otherwise.
 */
void launch(const struct specification *, const struct streams *) __attribute__((noreturn));

#endif

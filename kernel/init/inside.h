/* From within its namespaces: makes a container out of them. */
#ifndef INIT_INSIDE_H
#define INIT_INSIDE_H

#include "specification.h"

/* Where the first process's standard streams come from. */
struct streams {
	/* The number of its terminal, or -1; then the others are open descriptors. */
	int terminal;
	int input, output, error;
};

/*
 * In the first process of the container: leaves the machine's file systems for the container's, prepares
 * those, and becomes the program. Exits as docker run does when that fails: 127 when there is no such
 * program, 126 when it cannot be run, 125 for everything else.
 */
void container_enter(const struct specification *, const struct streams *) __attribute__((noreturn));

#endif

/* From within its namespaces: makes a container out of them. */
#ifndef INIT_INSIDE_H
#define INIT_INSIDE_H

#include "launch.h"

/*
 * In the first process of the container: leaves the machine's file systems for the container's, prepares
 * those, and launches the program.
 */
void container_enter(const struct specification *, const struct streams *) __attribute__((noreturn));

#endif

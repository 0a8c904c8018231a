/* The optional init of a container, for programs that are no good PID 1. */
#ifndef INIT_REAPER_H
#define INIT_REAPER_H

#include <stdbool.h>

/*
 * Returns in a child that runs the program. The caller remains as PID 1: it passes signals on to the child,
 * reaps what others leave behind, and ends with the child's status. Returns false if there can be no child.
 * All signals must be blocked.
 */
bool reaper_begin(void);

/* The exit status that reports a wait status, as shells do. */
int exit_status(int wait_status);

#endif

#ifndef INIT_PROGRAM_H
#define INIT_PROGRAM_H

#include <stdbool.h>

#include "message.h"

/*
 * In the child: gives the process its standard streams and executes the program in the rest of a RUN message.
 * On failure it exits as a shell does: with 127 if there is no such program, 126 if it cannot be run.
 */
void program_execute(struct message program) __attribute__((noreturn));

/*
 * Executes the program, which is looked up in the environment's PATH. Returns only on failure, also if the
 * interpreter is missing of a program that is emulated.
 */
void program_become(char **arguments, char **environment, bool emulated);

/* Prints the reason for a failed program_become, from errno. Returns its exit status, 127 or 126. */
int program_failure(const char *name);

#endif

#ifndef INIT_PROGRAM_H
#define INIT_PROGRAM_H

#include "message.h"

/*
 * In the child: gives the process its standard streams and becomes the program that the rest
 * of a RUN message names. Exits as a shell does when that fails: 127 when there is no such
 * program, 126 when it cannot be run.
 */
void program_execute(struct message program) __attribute__((noreturn));

/* Becomes the program, which is searched for in the environment's PATH. Returns only when that fails. */
void program_become(char **arguments, char **environment);

/* Says why program_become failed, by its errno. Returns the exit status for it, 127 or 126. */
int program_failure(const char *name);

#endif

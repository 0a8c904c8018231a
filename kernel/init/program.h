#ifndef INIT_PROGRAM_H
#define INIT_PROGRAM_H

#include "message.h"

/*
 * In the child: gives the process its standard streams and becomes the program that the rest
 * of a RUN message names. Exits as a shell does when that fails: 127 when there is no such
 * program, 126 when it cannot be run.
 */
void program_execute(uint32_t process_id, uint8_t flags, struct message program) __attribute__((noreturn));

#endif

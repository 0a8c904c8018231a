/* Finds out why a program that is there cannot be found. */
#ifndef INIT_INTERPRETER_H
#define INIT_INTERPRETER_H

#include <stdbool.h>

/*
 * Finds the missing interpreter of a script (#!) or of an ELF program (its dynamic linker), or of an
 * interpreter of these. Returns whether there is one.
 */
bool find_missing_interpreter(const char *file, char missing[PATH_MAX]);

#endif

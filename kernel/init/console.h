#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

/* Prints one line to standard error, like printf. init's own standard error is the console. */
#define say(format, ...) fprintf(stderr, "LinuxRun: " format "\n", ##__VA_ARGS__)

/* Replaces control characters, because names in a container must not control the user's terminal. */
void make_printable(char *text);

/* Describes an errno, in words where users may see it. */
const char *error_text(int error);

/* The same after the error's name: "ENOENT: no such file or directory". The host's errors have that name. */
const char *error_reason(int error);

#endif

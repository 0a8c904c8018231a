#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

/* Prints one line, in printf's manner, on standard error: init's own is the console. */
#define say(format, ...) fprintf(stderr, "LinuxRun: " format "\n", ##__VA_ARGS__)

/* What an errno means, in words where users may meet it. */
const char *error_text(int error);

#endif

#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

/* Prints one line, in printf's manner, on standard error: init's own is the console. */
#define say(format, ...) fprintf(stderr, "LinuxRun: " format "\n", ##__VA_ARGS__)

#endif

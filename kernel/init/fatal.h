/*
 * The ends of an emulated PID 1. The emulator ends a program by the signal that it got: it sets the default
 * action and sends the signal to itself. The kernel ignores such a signal of PID 1, so the emulator would
 * wait for ever.
 */
#ifndef INIT_FATAL_H
#define INIT_FATAL_H

/* Watches the caller's descendants. Returns -1, or a descriptor, readable when one may have to end. */
int watch_fatal_signals(void);

/*
 * Ends PID 1 of a container if its emulator asked for that. Returns the signal by which the program ends, or
 * 0 if it goes on.
 */
int end_by_fatal_signal(int watch, pid_t first);

#endif

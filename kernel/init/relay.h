#ifndef INIT_RELAY_H
#define INIT_RELAY_H

/*
 * Starts a process that copies from one descriptor to the other until either is closed, and holds no
 * other descriptor. Returns its pid, or -1 and errno.
 */
pid_t relay(int from, int to);

#endif

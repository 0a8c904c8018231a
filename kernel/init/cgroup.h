/* The control group of a container. */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include <stdbool.h>

/* Makes the group. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_create(const char *name);

/* The group of a container that runs. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_open(const char *name);

/* How many processes of the group the kernel killed for want of memory. */
unsigned cgroup_memory_kills(const char *name);

/* Removes the group once all its processes have ended. */
void cgroup_remove(const char *name);

#endif

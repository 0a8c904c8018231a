/* The control group of a container. */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include <stdbool.h>

/* Makes the group. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_create(const char *name);

/* Opens the group of a running container. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_open(const char *name);

/* Returns the number of the group's processes that the kernel killed because memory ran out. */
unsigned cgroup_memory_kills(const char *name);

/* Removes the group after all its processes have ended. */
void cgroup_remove(const char *name);

#endif

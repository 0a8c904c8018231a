/* The control group of a container. */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include <stdbool.h>

/* Makes the group. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_create(uint32_t id);

/* The group of a container that runs. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_open(uint32_t id);

/* How many processes of the group the kernel killed for want of memory. */
unsigned cgroup_memory_kills(uint32_t id);

/* Removes the group once all its processes have ended. */
void cgroup_remove(uint32_t id);

#endif

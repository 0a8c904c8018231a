/*
 * The control groups of containers. The outer one of a container, which no process of it sees, has the
 * limits. In it are the group of the first process and one for each further process with its descendants.
 * Because the kernel moves a process only between groups that its cgroup namespace contains, none leaves its
 * group.
 */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include <stdbool.h>

/* Makes the group of all containers. */
void cgroups_prepare(void);

/*
 * Freezes or thaws the processes of a container, or of all if the name is empty, also those that are made
 * meanwhile. Waits a second at most until all are frozen. A process that waits uninterruptibly freezes before
 * it executes its program again.
 */
void cgroup_freeze(const char *name, bool frozen);

/*
 * Makes a container's groups unless they are there. Returns a descriptor of the first process's for clone3,
 * or -1 and errno.
 */
int cgroup_create(const char *name);

/* Makes the group of a further process. Returns a descriptor for clone3, or -1 and errno. */
int cgroup_create_further(const char *name, uint32_t process);

/* Opens the group of a further process, or of the descendants that it has left. Returns -1 without one. */
int cgroup_open_further(const char *name, uint32_t process);

/* Kills all processes of the group, also those that it is about to fork. */
void cgroup_kill(int group);

/* Returns the number of the container's processes that the kernel killed because memory ran out. */
unsigned cgroup_memory_kills(const char *name);

/*
 * Removes the group of a further process. If descendants remain there, it removes the empty ones of earlier
 * processes instead, unless they are in use.
 */
void cgroup_remove_further(const char *name, uint32_t process, bool (*is_used)(uint32_t process));

/* Removes the groups after all processes of the container have ended. */
void cgroup_remove(const char *name);

#endif

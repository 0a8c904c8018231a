/* The user of a container's process, from the container's own /etc/passwd and /etc/group. */
#ifndef INIT_USER_H
#define INIT_USER_H

#include <stdbool.h>

enum { MAX_GROUPS = 64 };

struct user {
	uint32_t uid, gid;
	uint32_t groups[MAX_GROUPS];
	unsigned group_count;
	char home[PATH_MAX];
};

/*
 * name is "user" or "user:group", each a name or a number. An empty name means root. A user without a given
 * group has the groups of the files and its own. Returns false and prints the reason if there is no such user
 * or group.
 */
bool find_user(const char *name, struct user *);

/* Switches to the user permanently. Returns 0, or -1 and errno. */
int become_user(const struct user *);

#endif

/* Who a container's process is, by the container's own /etc/passwd and /etc/group. */
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
 * name is "user" or "user:group", each a name or a number; empty means root. A user without a group has
 * those of the files, besides its own. Returns false, and says why, when there is no such user or group.
 */
bool find_user(const char *name, struct user *);

/* Becomes the user for good. Returns 0, or -1 and errno. */
int become_user(const struct user *);

#endif

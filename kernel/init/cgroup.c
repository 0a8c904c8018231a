#include "cgroup.h"
#include "files.h"
#include "message.h"

#define ROOT "/sys/fs/cgroup/"

static const char *path_of(const char *name, const char *file)
{
	static char path[sizeof(ROOT "container-") + NAME_SIZE + 32];

	strcpy(path, ROOT "container-");
	strlcat(path, name, sizeof(path));
	strlcat(path, file, sizeof(path));
	return path;
}

/* Leaves half of the kernel's processes to the agent and its relays. */
static bool limit_processes(const char *file)
{
	char most[32];

	most[read_file("/proc/sys/kernel/threads-max", most, sizeof(most) - 1)] = 0;
	utoa_r(strtoul(most, NULL, 10) / 2, most);
	return write_file(file, most);
}

/*
 * The container's root can mount cgroup2 in a user namespace. The kernel (nsdelegate) protects the limits of
 * a cgroup namespace's root only, and a group below would allow a namespace with another root.
 */
static bool forbid_groups(const char *file)
{
	return write_file(file, "0");
}

int cgroup_create(const char *name)
{
	write_file(ROOT "cgroup.subtree_control", "+cpu +memory +pids");
	if (mkdir(path_of(name, ""), 0755) < 0 || !limit_processes(path_of(name, "/pids.max")) ||
	    !forbid_groups(path_of(name, "/cgroup.max.descendants")))
		return -1;
	return cgroup_open(name);
}

int cgroup_open(const char *name)
{
	return open(path_of(name, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

unsigned cgroup_memory_kills(const char *name)
{
	return read_figure(path_of(name, "/memory.events"), "oom_kill", 10);
}

void cgroup_remove(const char *name)
{
	rmdir(path_of(name, ""));
}

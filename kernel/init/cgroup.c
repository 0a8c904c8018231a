#include "cgroup.h"
#include "files.h"

#define ROOT "/sys/fs/cgroup/"

static const char *path_of(uint32_t id, const char *file)
{
	static char path[96];

	strcpy(path, ROOT "container");
	utoa_r(id, path + strlen(path));
	strlcat(path, file, sizeof(path));
	return path;
}

/* Leaves half of the processes that the kernel can have at all to the agent and its relays. */
static bool limit_processes(const char *file)
{
	char most[32];

	most[read_file("/proc/sys/kernel/threads-max", most, sizeof(most) - 1)] = 0;
	utoa_r(strtoul(most, NULL, 10) / 2, most);
	return write_file(file, most);
}

int cgroup_create(uint32_t id)
{
	write_file(ROOT "cgroup.subtree_control", "+cpu +memory +pids");
	if (mkdir(path_of(id, ""), 0755) < 0 || !limit_processes(path_of(id, "/pids.max")))
		return -1;
	return cgroup_open(id);
}

int cgroup_open(uint32_t id)
{
	return open(path_of(id, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

unsigned cgroup_memory_kills(uint32_t id)
{
	return read_figure(path_of(id, "/memory.events"), "oom_kill");
}

void cgroup_remove(uint32_t id)
{
	rmdir(path_of(id, ""));
}

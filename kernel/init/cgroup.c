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

int cgroup_create(uint32_t id)
{
	write_file(ROOT "cgroup.subtree_control", "+cpu +memory +pids");
	if (mkdir(path_of(id, ""), 0755) < 0)
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

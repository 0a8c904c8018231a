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
	return open(path_of(id, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

unsigned cgroup_memory_kills(uint32_t id)
{
	static const char field[] = "\noom_kill ";
	char events[512];
	size_t length = read_file(path_of(id, "/memory.events"), events, sizeof(events) - 1);

	events[length] = 0;
	for (char *line = events; (line = strchr(line, '\n')); line++)
		if (strncmp(line, field, strlen(field)) == 0)
			return atoi(line + strlen(field));
	return 0;
}

void cgroup_remove(uint32_t id)
{
	rmdir(path_of(id, ""));
}

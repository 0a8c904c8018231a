#include "cgroup.h"
#include "files.h"
#include "message.h"

#define ROOT "/sys/fs/cgroup/"
#define CONTAINERS ROOT "containers/"
#define CONTROLLERS "+cpu +memory +pids"
#define FIRST "/first"
#define FURTHER "/further"

enum { PATH_SIZE = sizeof(CONTAINERS FURTHER "/") + NAME_SIZE + 32, FREEZE_MILLISECONDS = 1000 };

static const char *path_of(const char *name, const char *file)
{
	static char path[PATH_SIZE];

	strcpy(path, CONTAINERS);
	strlcat(path, name, sizeof(path));
	strlcat(path, file, sizeof(path));
	return path;
}

static const char *further_path(const char *name, uint32_t process)
{
	char file[sizeof(FURTHER "/") + 16] = FURTHER "/";

	utoa_r(process, file + strlen(file));
	return path_of(name, file);
}

static int open_group(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool make_group(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

void cgroup_freeze(const char *name, bool frozen)
{
	write_file(path_of(name, "/cgroup.freeze"), frozen ? "1" : "0");
	for (int i = 0; frozen && i < FREEZE_MILLISECONDS; i++) {
		if (read_figure(path_of(name, "/cgroup.events"), "frozen", 10))
			return;
		usleep(1000);
	}
}

void cgroups_prepare(void)
{
	write_file(ROOT "cgroup.subtree_control", CONTROLLERS);
	make_group(CONTAINERS);
	write_file(CONTAINERS "cgroup.subtree_control", CONTROLLERS);
}

/* Half of the kernel's processes are left to the agent. */
static const char *most_processes(void)
{
	static char most[32];

	most[read_file("/proc/sys/kernel/threads-max", most, sizeof(most) - 1)] = 0;
	utoa_r(strtoul(most, NULL, 10) / 2, most);
	return most;
}

/*
 * The container's root can mount cgroup2 in a user namespace, and the kernel (nsdelegate) protects only files
 * of the group that is the root of the writer's cgroup namespace. It takes two processes with different ones
 * to write the limits of an inner group. Those of the outer group are in no such mount.
 */
int cgroup_create(const char *name)
{
	const char *most = most_processes();

	int prepared = open_group(path_of(name, FIRST));

	if (prepared >= 0)
		return prepared;
	if (!make_group(path_of(name, "")) || !write_file(path_of(name, "/pids.max"), most) ||
	    !write_file(path_of(name, "/cgroup.max.descendants"), most) ||
	    !write_file(path_of(name, "/cgroup.max.depth"), "2") ||
	    !write_file(path_of(name, "/cgroup.subtree_control"), CONTROLLERS) ||
	    !make_group(path_of(name, FIRST)) || !write_file(path_of(name, FIRST "/pids.max"), most) ||
	    !write_file(path_of(name, FIRST "/cgroup.max.descendants"), "0"))
		return -1;
	return open_group(path_of(name, FIRST));
}

int cgroup_create_further(const char *name, uint32_t process)
{
	if (!make_group(path_of(name, FURTHER)) || !make_group(further_path(name, process)))
		return -1;
	return cgroup_open_further(name, process);
}

int cgroup_open_further(const char *name, uint32_t process)
{
	return open_group(further_path(name, process));
}

void cgroup_kill(int group)
{
	int fd = syscall(__NR_openat, group, "cgroup.kill", O_WRONLY | O_CLOEXEC, 0);

	write(fd, "1", 1);
	close(fd);
}

unsigned cgroup_memory_kills(const char *name)
{
	return read_figure(path_of(name, "/memory.events"), "oom_kill", 10);
}

/* Removes empty groups of further processes. Only groups have names that begin with a digit. */
static void sweep(const char *name, bool (*is_used)(uint32_t process))
{
	static char entries[4096] __attribute__((aligned(8)));
	int folder = open_group(path_of(name, FURTHER)), length;

	while (folder >= 0 && (length = getdents64(folder, (void *)entries, sizeof(entries))) > 0) {
		for (int at = 0; at < length;) {
			const struct linux_dirent64 *entry = (void *)(entries + at);

			if (isdigit(*entry->d_name) && !(is_used && is_used(strtoul(entry->d_name, NULL, 10))))
				syscall(__NR_unlinkat, folder, entry->d_name, AT_REMOVEDIR);
			at += entry->d_reclen;
		}
	}
	close(folder);
}

void cgroup_remove_further(const char *name, uint32_t process, bool (*is_used)(uint32_t process))
{
	if (rmdir(further_path(name, process)) < 0 && errno == EBUSY)
		sweep(name, is_used);
}

void cgroup_remove(const char *name)
{
	sweep(name, NULL);
	rmdir(path_of(name, FURTHER));
	rmdir(path_of(name, FIRST));
	rmdir(path_of(name, ""));
}

#include <asm/statfs.h>

#include "disks.h"
#include "files.h"
#include "usage.h"

enum { KIBIBYTE = 1024 };

/* Only the supervisor's mount namespace has the disk. */
static bool measure_disk(pid_t supervisor, struct statfs *disk)
{
	char path[64] = "/proc/";

	itoa_r(supervisor, path + strlen(path));
	strlcat(path, "/root" WRITABLE_DISK, sizeof(path));
	return syscall(__NR_statfs, path, disk) == 0;
}

struct usage usage_measure(pid_t supervisor)
{
	struct statfs disk;
	struct usage usage = {
		.memory_total = read_figure("/proc/meminfo", "MemTotal:", 10) * KIBIBYTE,
		.memory_available = read_figure("/proc/meminfo", "MemAvailable:", 10) * KIBIBYTE,
	};

	if (supervisor && measure_disk(supervisor, &disk)) {
		usage.disk_total = disk.f_blocks * disk.f_bsize;
		usage.disk_used = (disk.f_blocks - disk.f_bfree) * disk.f_bsize;
	}
	return usage;
}

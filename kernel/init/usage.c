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

/* Reads seconds with two decimal places. Moves the text behind them. */
static uint64_t read_milliseconds(char **text)
{
	uint64_t seconds = strtoull(*text, text, 10);
	uint64_t hundredths = **text == '.' ? strtoull(*text + 1, text, 10) : 0;

	return seconds * 1000 + hundredths * 10;
}

static void measure_cpus(struct usage *usage)
{
	char text[64], *at = text;

	text[read_file("/proc/uptime", text, sizeof(text) - 1)] = 0;
	usage->uptime = read_milliseconds(&at);
	usage->idle = read_milliseconds(&at);
}

struct usage usage_measure(pid_t supervisor)
{
	struct statfs disk;
	struct usage usage = {
		.memory_total = read_figure("/proc/meminfo", "MemTotal:", 10) * KIBIBYTE,
		.memory_available = read_figure("/proc/meminfo", "MemAvailable:", 10) * KIBIBYTE,
	};

	measure_cpus(&usage);
	if (supervisor && measure_disk(supervisor, &disk)) {
		usage.disk_total = disk.f_blocks * disk.f_bsize;
		usage.disk_used = (disk.f_blocks - disk.f_bfree) * disk.f_bsize;
	}
	return usage;
}

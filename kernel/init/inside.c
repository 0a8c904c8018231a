#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/utsname.h>

#include "capabilities.h"
#include "console.h"
#include "disks.h"
#include "files.h"
#include "inside.h"
#include "launch.h"
#include "network.h"
#include "reaper.h"
#include "system.h"

/* Missing in the kernel's headers for programs. */
#define MNT_DETACH 2

/* Shared folders that a container may have. */
enum { MOST_SHARES = 64 };

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define NO_PROGRAMS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Those that a container has only if its specification names them. */
static const struct device further_devices[] = { { "fuse", 10, 229 }, { "net/tun", 10, 200 } };

/* The folder for channels. */
#define CHANNELS "/run/linuxrun"

/*
 * As in the OCI runtimes by default: files about the machine are hidden, files that change it are read-only.
 */
static const char *const hidden_files[] = {
	"/proc/interrupts", "/proc/kcore",	"/proc/keys",	     "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
};
static const char *const hidden_directories[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/scsi",
};
static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void __attribute__((noreturn)) fail(const char *what)
{
	say("%s: %s", what, error_text(errno));
	exit(NO_CONTAINER);
}

static void enter_container_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chdir(CONTAINER_ROOT) < 0 ||
	    pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		fail("cannot enter the container's root file system");
}

static void attach(int mount, const char *path)
{
	if (!parts_attach(mount, path))
		fail(path);
}

/* Mounts a file system that belongs to the namespaces of this process. */
static void mount_own(const char *type, const char *path, unsigned long flags)
{
	if (mount(type, path, type, flags | NO_PROGRAMS, "") < 0)
		fail(path);
}

static void attach_below_root(int mount, const char *path)
{
	make_directories(path);
	attach(mount, path);
}

static void mount_all(const struct parts *parts, int terminals)
{
	make_directories("/proc");
	mount_own("proc", "/proc", 0);
	attach_below_root(parts->system, "/sys");
	mount_own("cgroup2", "/sys/fs/cgroup", MS_RDONLY);
	attach_below_root(parts->devices, "/dev");
	mount_own("mqueue", "/dev/mqueue", 0);
	attach(terminals, "/dev/pts");
}

static void make_further_device(const char *path)
{
	for (unsigned i = 0; i < LENGTH(further_devices); i++) {
		char folder[64] = "/dev/";

		strlcat(folder, further_devices[i].name, sizeof(folder));
		if (strcmp(folder, path) != 0)
			continue;
		*strrchr(folder, '/') = 0;
		make_directories(folder);
		if (!make_devices("/dev", &further_devices[i], 1))
			fail(path);
		return;
	}
	errno = ENODEV;
	fail(path);
}

/* Files that this kernel lacks need no protection. */
static void check_restricted(int result, const char *path)
{
	if (result < 0 && errno != ENOENT)
		fail(path);
}

static void restrict_kernel_files(void)
{
	for (unsigned i = 0; i < LENGTH(hidden_files); i++)
		check_restricted(mount("/dev/null", hidden_files[i], NULL, MS_BIND, NULL), hidden_files[i]);
	for (unsigned i = 0; i < LENGTH(hidden_directories); i++)
		check_restricted(mount("tmpfs", hidden_directories[i], "tmpfs", MS_RDONLY, "size=0"),
				 hidden_directories[i]);
	for (unsigned i = 0; i < LENGTH(read_only); i++) {
		int bound = mount(read_only[i], read_only[i], NULL, MS_BIND, NULL);

		check_restricted(bound, read_only[i]);
		if (bound == 0 &&
		    mount(NULL, read_only[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | NO_PROGRAMS, NULL) < 0)
			fail(read_only[i]);
	}
}

static void set_hostname(const char *name)
{
	/* Computed first, because nolibc's system calls put arguments in registers that a call may change. */
	size_t length = strlen(name);

	if (syscall(__NR_sethostname, name, length) < 0)
		fail("cannot set the host name");
}

/* Replaces the image's own file, which may be a link to any place. */
static FILE *replace_file(const char *path)
{
	unlink(path);

	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? NULL : fdopen(fd, "w");
}

static void write_hosts(const char *hostname, const struct network *network)
{
	char address[ADDRESS_SIZE] = "127.0.1.1";
	FILE *file = replace_file("/etc/hosts");

	if (!file)
		return;
	if (network)
		network_address_text(network->address, address);
	fprintf(file, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n%s\t%s\n", address, hostname);
	fclose(file);
}

/*
 * Without a network the file is empty, because the servers in the image's own would only make programs wait.
 */
static void write_name_server(const struct network *network)
{
	char address[ADDRESS_SIZE];
	FILE *file = replace_file("/etc/resolv.conf");

	if (!file)
		return;
	if (network)
		fprintf(file, "nameserver %s\n", network_address_text(network->name_server, address));
	fclose(file);
}

static void write_configuration(const char *hostname, const struct network *network)
{
	FILE *file;

	mkdir("/etc", 0755);
	if ((file = replace_file("/etc/hostname"))) {
		fprintf(file, "%s\n", hostname);
		fclose(file);
	}
	write_hosts(hostname, network);
	write_name_server(network);
	/* For programs that do not know /proc. An image may have its own. */
	symlink("/proc/mounts", "/etc/mtab");
}

/* The terminal is also the container's console. */
static void make_console(int terminal)
{
	char path[TERMINAL_PATH_SIZE];

	close(open("/dev/console", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	mount(terminal_path(terminal, path), "/dev/console", NULL, MS_BIND, NULL);
}

/* As with the OCI runtimes, it has the permissions of the folder where it is mounted. */
static void mount_tmpfs(const char *path, unsigned long flags, const char *options)
{
	char all[1024] = "mode=1777,";
	struct stat folder;

	if (stat(path, &folder) == 0 && S_ISDIR(folder.st_mode))
		for (int digit = 0; digit < 4; digit++)
			all[strlen("mode=") + digit] = '0' + (folder.st_mode >> (9 - 3 * digit) & 7);
	else if (make_directories(path) < 0)
		fail(path);
	if (strlcat(all, options, sizeof(all)) >= sizeof(all)) {
		errno = EINVAL;
		fail(path);
	}
	if (mount("tmpfs", path, "tmpfs", flags | MS_NODEV, all) < 0)
		fail(path);
}

/* The root is the container's already, so links on the path lead nowhere else. */
static void attach_share(int share, const char *path, unsigned long flags)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_NODEV | (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0),
	};

	if (make_directories(path) < 0 ||
	    syscall(__NR_mount_setattr, share, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		fail(path);
	attach(share, path);
	close(share);
}

/* Parents come before the file systems below them. */
static void mount_further(const struct specification *s, const int *shares)
{
	for (char **field = s->mounts; *field; field += MOUNT_FIELDS) {
		unsigned long flags = strtoul(field[2], NULL, 10);

		if (*field[0])
			attach_share(*shares++, field[1], flags);
		else
			mount_tmpfs(field[1], flags, field[3]);
	}
}

/* The sockets of channels are the agent's: even the container's root cannot change their folder. */
static void mount_channels(int channels)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

	if (make_directories(CHANNELS) < 0 ||
	    syscall(__NR_mount_setattr, channels, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		fail(CHANNELS);
	attach(channels, CHANNELS);
}

/* A volume has a mount of its own, which remains writable when the root does not. */
static void make_volume(const char *path, bool mounted)
{
	if (make_directories(path) < 0 || (mounted && mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0))
		fail(path);
}

static void make_folders(const struct specification *s)
{
	for (char **volume = s->volumes; *volume; volume++)
		make_volume(*volume, s->flags & READ_ONLY);
	/* An error is reported when the process enters the directory. */
	make_directories(s->directory);
}

static int copy_mount(const char *path)
{
	return syscall(__NR_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* Opens the shared folders, which cannot be named any more in the container's root. */
static void open_shares(const struct specification *s, int shares[MOST_SHARES])
{
	unsigned count = 0;

	for (char **field = s->mounts; *field; field += MOUNT_FIELDS) {
		char path[64] = CONTAINER_SHARES "/";

		if (!*field[0])
			continue;
		strlcat(path, field[0], sizeof(path));
		errno = E2BIG;
		if (count == MOST_SHARES || (shares[count++] = copy_mount(path)) < 0)
			fail(field[1]);
	}
}

void container_enter(const struct specification *s, const struct streams *streams, const struct parts *parts,
		     int network_source)
{
	int terminals = copy_mount(CONTAINER_TERMINALS), channels = copy_mount(CONTAINER_CHANNELS);
	int shares[MOST_SHARES];

	if (syscall(__NR_unshare, CLONE_NEWCGROUP) < 0)
		fail("no cgroup namespace");
	if (syscall(__NR_setns, parts->network, CLONE_NEWNET) < 0)
		fail("no network namespace");
	set_hostname(s->hostname);
	open_shares(s, shares);
	enter_container_root();
	mount_all(parts, terminals);
	for (char **path = s->devices; *path; path++)
		make_further_device(*path);

	const struct network *network = network_take_card(network_source);

	restrict_kernel_files();
	write_configuration(s->hostname, network);
	if (streams->terminal >= 0)
		make_console(streams->terminal);
	make_folders(s);
	mount_further(s, shares);
	mount_channels(channels);
	if (s->flags & READ_ONLY && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL) < 0)
		fail("cannot make the root file system read-only");
	if (s->flags & WITH_INIT && !reaper_begin())
		fail("no process for the program");
	launch(s, streams);
}

/* Enters a mount of its own of the container's root, because the container's may be read-only. */
static bool enter_writable_root(void)
{
	struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	int root = copy_mount("/");

	return root >= 0 &&
	       syscall(__NR_mount_setattr, root, "", AT_EMPTY_PATH, &writable, sizeof(writable)) == 0 &&
	       syscall(__NR_fchdir, root) == 0 && chroot(".") == 0;
}

void container_change_network(const struct container *container)
{
	int source = network_open_source(), first = container_join(container);
	struct new_utsname names;

	if (first < 0 || syscall(__NR_setns, first, CLONE_NEWNET | CLONE_NEWUTS) < 0)
		exit(0);

	const struct network *network = network_take_card(source);

	/* The files are the container's from here on, and so are the rights. */
	if (!network || syscall(__NR_uname, &names) < 0 || syscall(__NR_setns, first, CLONE_NEWNS) < 0 ||
	    !enter_writable_root() || drop_capabilities() < 0)
		exit(0);
	write_hosts(names.nodename, network);
	write_name_server(network);
	exit(0);
}

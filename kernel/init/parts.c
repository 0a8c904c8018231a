#include <linux/mount.h>
#include <linux/sched.h>

#include "cgroup.h"
#include "console.h"
#include "disks.h"
#include "files.h"
#include "network.h"
#include "parts.h"
#include "specification.h"

/* Missing in the kernel's headers for programs. */
#define MNT_DETACH 2

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Where mounts are made, before they are detached. */
#define FOLDER "/run/part"

#define HELPER "/linuxrun-channel"

enum { MOST_HELPER = 1 << 20, PATH_SIZE = 64 };

static const struct device devices[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct link {
	const char *target, *name;
} links[] = {
	{ "/proc/self/fd", "fd" },	 { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
	{ "/proc/self/fd/2", "stderr" }, { "pts/ptmx", "ptmx" },
};

static struct parts parts;
static bool prepared;

static const char *path_in(const char *folder, const char *name)
{
	static char path[PATH_SIZE];

	strlcpy(path, folder, sizeof(path));
	strlcat(path, "/", sizeof(path));
	strlcat(path, name, sizeof(path));
	return path;
}

static bool mount_new(const char *type, const char *path, unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	return mount(type, path, type, flags, options) == 0;
}

/* Returns a copy of the mounts there, which are removed. */
static int detach(const char *path)
{
	int tree = syscall(__NR_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	umount2(path, MNT_DETACH);
	return tree;
}

/* Makes a node among the others of this file system, and binds it to its name. */
static bool make_device(const char *folder, const char *nodes, const struct device *device)
{
	char node[PATH_SIZE];
	const char *slash = strrchr(device->name, '/'), *path;

	strlcpy(node, path_in(nodes, slash ? slash + 1 : device->name), sizeof(node));
	path = path_in(folder, device->name);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	return mknod(node, S_IFCHR | 0666, makedev(device->major, device->minor)) == 0 &&
	       /* Independent of the umask. */
	       chmod(node, 0666) == 0 && mount(node, path, NULL, MS_BIND, NULL) == 0;
}

/*
 * All other file systems are mounted nodev. That of the nodes stays alive through their mounts, but its root
 * is unreachable, so no node can be added.
 */
bool make_devices(const char *folder, const struct device *list, unsigned count)
{
	char nodes[PATH_SIZE];
	bool made;

	strlcpy(nodes, path_in(folder, ".nodes"), sizeof(nodes));
	made = mount_new("tmpfs", nodes, MS_NOSUID | MS_NOEXEC, "mode=700,size=64k");
	for (unsigned i = 0; made && i < count; i++)
		made = make_device(folder, nodes, &list[i]);
	return umount2(nodes, MNT_DETACH) == 0 && rmdir(nodes) == 0 && made;
}

static int make_device_folder(void)
{
	bool made = mount_new("tmpfs", FOLDER, MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=755,size=65536k") &&
		    mount_new("tmpfs", FOLDER "/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k") &&
		    make_devices(FOLDER, devices, LENGTH(devices));

	mkdir(FOLDER "/mqueue", 0755);
	mkdir(FOLDER "/pts", 0755);
	for (unsigned i = 0; i < LENGTH(links); i++)
		symlink(links[i].target, path_in(FOLDER, links[i].name));

	int tree = detach(FOLDER);

	return made ? tree : -1;
}

/* As in the OCI runtimes by default, folders about the machine are hidden, if this kernel has them. */
static bool hide(const char *folder)
{
	return mount("tmpfs", folder, "tmpfs", MS_RDONLY, "size=0") == 0 || errno == ENOENT;
}

static int make_system(void)
{
	bool made = mount_new("sysfs", FOLDER, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "") &&
		    hide(FOLDER "/firmware") && hide(FOLDER "/devices/virtual/powercap");
	int tree = detach(FOLDER);

	return made ? tree : -1;
}

static int make_terminals(void)
{
	bool made = mount_new("devpts", FOLDER, MS_NOSUID | MS_NOEXEC, "newinstance,gid=5,mode=620,ptmxmode=666");

	return made ? detach(FOLDER) : -1;
}

/* Copies the program by which shells use channels. */
static bool copy_helper(void)
{
	int from = open("/bin" HELPER, O_RDONLY | O_CLOEXEC);
	int to = open(FOLDER HELPER, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	bool copied = syscall(__NR_sendfile, to, from, NULL, MOST_HELPER) > 0;

	close(from);
	close(to);
	return copied;
}

static int make_channels(void)
{
	bool made = mount_new("tmpfs", FOLDER, MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=1k") && copy_helper();
	int tree = detach(FOLDER);

	return made ? tree : -1;
}

static int open_network(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/*
 * Enters a new network namespace for a while, because /sys is that of the process that mounts it. Moving the
 * card there is most of the work for it.
 */
static void make_network(void)
{
	int own = open_network(), source = network_open_source();

	if (own < 0 || syscall(__NR_unshare, CLONE_NEWNET) < 0)
		return;
	network_start_loopback();
	network_move_card(source);
	parts.system = make_system();
	parts.network = open_network();
	syscall(__NR_setns, own, CLONE_NEWNET);
	close(own);
}

/* Returns whether all parts could be made. */
static bool make_parts(void)
{
	parts = (struct parts){ .network = -1, .system = -1 };
	make_network();
	parts.devices = make_device_folder();
	parts.terminals = make_terminals();
	parts.channels = make_channels();
	return parts.network >= 0 && parts.system >= 0 && parts.devices >= 0 && parts.terminals >= 0 &&
	       parts.channels >= 0;
}

static void close_parts(void)
{
	const int descriptors[] = { parts.network, parts.system, parts.devices, parts.terminals, parts.channels };

	for (unsigned i = 0; i < LENGTH(descriptors); i++)
		if (descriptors[i] >= 0)
			close(descriptors[i]);
}

void parts_prepare(void)
{
	if (prepared)
		return;
	disks_prepare();
	close(cgroup_create(PREPARED_GROUP));
	prepared = make_parts();
	if (!prepared)
		close_parts();
}

bool parts_are_prepared(void)
{
	return prepared;
}

const struct parts *parts_take(void)
{
	if (!prepared && !(prepared = make_parts())) {
		say("cannot make the container: %s", error_text(errno));
		exit(NO_CONTAINER);
	}
	return &parts;
}

bool parts_attach(int mount, const char *path)
{
	/* An image may have a link there. */
	return syscall(__NR_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0;
}

void parts_forget(void)
{
	if (prepared)
		close_parts();
	prepared = false;
}

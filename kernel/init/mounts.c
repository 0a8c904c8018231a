#include <linux/mount.h>

#include "console.h"
#include "files.h"
#include "system.h"

void enter_root(void)
{
	mkdir("/root", 0700);
	if (mount("/", "/root", NULL, MS_BIND, NULL) < 0 || chdir("/root") < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		say("cannot enter the root file system: %s", error_text(errno));
	chdir("/");
}

static const struct mount_point {
	const char *type, *path;
	unsigned long flags;
	const char *options;
} mount_points[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate" },
	{ "devtmpfs", "/dev", MS_NOSUID, "mode=755" },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666" },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777" },
	{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755" },
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777" },
};

static const struct link {
	const char *target, *path;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

void open_standard_streams(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd < STDERR_FILENO)
		fd = dup(fd);
	if (fd > STDERR_FILENO)
		close(fd);
}

void mount_filesystems(void)
{
	for (unsigned i = 0; i < LENGTH(mount_points); i++) {
		const struct mount_point *m = &mount_points[i];

		mkdir(m->path, 0755);
		if (mount(m->type, m->path, m->type, m->flags, m->options) < 0)
			say("cannot mount %s: %s", m->path, error_text(errno));
	}
	for (unsigned i = 0; i < LENGTH(links); i++)
		symlink(links[i].target, links[i].path);
}

void protect_users(void)
{
	/* As set by distributions. */
	static const struct {
		const char *path, *value;
	} options[] = {
		{ "/proc/sys/kernel/dmesg_restrict", "1" },
		{ "/proc/sys/fs/protected_hardlinks", "1" },
		{ "/proc/sys/fs/protected_symlinks", "1" },
		/* No limit for the whole machine, which one user could exhaust: memory limits open files. */
		{ "/proc/sys/fs/file-max", "9223372036854775807" },
		/* Processes may measure themselves, also in the kernel, whose addresses are no secret. */
		{ "/proc/sys/kernel/perf_event_paranoid", "1" },
	};

	for (unsigned i = 0; i < LENGTH(options); i++)
		if (!write_file(options[i].path, options[i].value))
			say("cannot set %s", options[i].path);
}

/* Replaces the octal escapes (\040) of /proc/self/mounts in place. */
static void unescape(char *path)
{
	char *to = path;

	for (char *from = path; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
}

/* Cuts the mount point, the second word, out of a line of /proc/self/mounts. */
static char *mount_point_of(char *line)
{
	char *path = strchr(line, ' '), *end = path ? strchr(path + 1, ' ') : NULL;

	if (!end)
		return NULL;
	*end = 0;
	unescape(path + 1);
	return path + 1;
}

void unmount_filesystems(void)
{
	static char mounts[1 << 16];
	size_t end = read_file("/proc/self/mounts", mounts, sizeof(mounts) - 1);

	while (end > 0) {
		size_t start = --end;

		mounts[end] = 0;
		while (start > 0 && mounts[start - 1] != '\n')
			start--;

		char *path = mount_point_of(mounts + start);

		if (path && umount2(path, 0) < 0)
			mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL);
		end = start;
	}
}

/*
 * Prints the results of stat, readlink, read and listxattr for each name below a directory, one line per
 * name:
 *   path mode uid gid links size seconds nanoseconds major:minor device:inode contents name=value,...
 * Paths, names and values are in hexadecimal, "contents" is the target of a link in hexadecimal or the CRC-32
 * of a file. With a directory as its argument it walks that one. As PID 1 it mounts /dev/vda and walks that,
 * between two lines "BEGIN" and "END", and powers the machine off.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#define MAX_PATH 8192

static uint32_t crc_table[256];

static void finish(int status)
{
	fflush(stdout);
	if (getpid() == 1) {
		tcdrain(STDOUT_FILENO);
		reboot(RB_POWER_OFF);
	}
	exit(status);
}

static void die(const char *what)
{
	printf("\nFAILED %s: %s\n", what, strerror(errno));
	finish(1);
}

static void print_hex(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < length; i++)
		printf("%02x", bytes[i]);
}

static void make_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc_of(const char *name)
{
	static unsigned char buffer[1 << 16];
	uint32_t crc = ~0u;
	int fd = open(name, O_RDONLY);
	if (fd < 0)
		die("open");
	for (;;) {
		ssize_t length = read(fd, buffer, sizeof(buffer));
		if (length < 0)
			die("read");
		if (length == 0)
			break;
		for (ssize_t i = 0; i < length; i++)
			crc = crc_table[(crc ^ buffer[i]) & 0xff] ^ crc >> 8;
	}
	close(fd);
	return ~crc;
}

/* Files with many names are read once. */
static uint32_t crc_of_inode(const struct stat *st, const char *name)
{
	static struct {
		dev_t device;
		ino_t inode;
		uint32_t crc;
	} known[1024];
	static int count;
	for (int i = 0; i < count; i++)
		if (known[i].device == st->st_dev && known[i].inode == st->st_ino)
			return known[i].crc;
	uint32_t crc = crc_of(name);
	if (st->st_nlink > 1 && count < 1024) {
		known[count].device = st->st_dev;
		known[count].inode = st->st_ino;
		known[count++].crc = crc;
	}
	return crc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_xattrs(const char *name)
{
	static char names[1 << 16], value[1 << 16];
	char *sorted[1024];
	size_t count = 0;
	ssize_t length = llistxattr(name, names, sizeof(names));
	if (length < 0 && errno != ENOTSUP)
		die("llistxattr");
	for (ssize_t at = 0; at < length; at += strlen(names + at) + 1)
		if (count < 1024)
			sorted[count++] = names + at;
	qsort(sorted, count, sizeof(*sorted), by_name);
	for (size_t i = 0; i < count; i++) {
		ssize_t size = lgetxattr(name, sorted[i], value, sizeof(value));
		if (size < 0)
			die("lgetxattr");
		print_hex(sorted[i], strlen(sorted[i]));
		putchar('=');
		print_hex(value, size);
		putchar(',');
	}
}

static int type_in_directory(mode_t mode)
{
	return (mode & S_IFMT) >> 12;
}

/*
 * Prints a name in the working directory and everything below it. Whole paths could be too long for the
 * kernel.
 */
static void walk(const char *path, const char *name, int type)
{
	struct stat st;
	if (lstat(name, &st))
		die("lstat");
	if (type >= 0 && type != DT_UNKNOWN && type != type_in_directory(st.st_mode))
		die("type in the directory");
	print_hex(path, strlen(path));
	printf(" %o %u %u %lu %lld %lld %ld %u:%u %llu:%llu ", st.st_mode, st.st_uid, st.st_gid, (unsigned long)st.st_nlink,
	       (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, major(st.st_rdev),
	       minor(st.st_rdev), (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	if (S_ISREG(st.st_mode))
		printf("%08x", crc_of_inode(&st, name));
	else if (S_ISLNK(st.st_mode)) {
		static char target[MAX_PATH];
		ssize_t length = readlink(name, target, sizeof(target));
		if (length < 0)
			die("readlink");
		print_hex(target, length);
	} else
		putchar('-');
	putchar(' ');
	print_xattrs(name);
	putchar('\n');
	if (!S_ISDIR(st.st_mode))
		return;

	int here = open(".", O_RDONLY | O_DIRECTORY);
	if (here < 0 || chdir(name))
		die("chdir");
	DIR *directory = opendir(".");
	if (!directory)
		die("opendir");
	struct dirent *entry;
	while ((errno = 0, entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		char *child;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0)
			die("asprintf");
		walk(child, entry->d_name, entry->d_type);
		free(child);
	}
	if (errno)
		die("readdir");
	closedir(directory);
	if (fchdir(here))
		die("fchdir");
	close(here);
}

int main(int argc, char **argv)
{
	make_crc_table();
	if (argc == 2 && getpid() != 1) {
		walk("", argv[1], -1);
		finish(0);
	}
	mkdir("/dev", 0755);
	mkdir("/mnt", 0755);
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY)
		die("mount /dev");
	if (mount("/dev/vda", "/mnt", "erofs", MS_RDONLY, NULL))
		die("mount");
	puts("BEGIN");
	walk("", "/mnt", -1);
	puts("END");
	finish(0);
}

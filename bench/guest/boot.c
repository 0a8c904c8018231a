/*
 * PID 1 for QEMU. Builds the root file system from the two disks as our init does, and executes the program
 * in /bench/command, which holds its environment and its arguments, each ended by a NUL. It creates no
 * namespaces and no devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND "/bench/command"
/* The tag of a shared folder. */
#define SHARE "linuxrun"

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "cannot %s %s: %s\n", what, path, strerror(errno));
	exit(1);
}

static void mount_at(const char *source, const char *path, const char *type, unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	if (mount(source, path, type, flags, options) < 0)
		fail("mount", path);
}

static char **read_command(void)
{
	static char text[1 << 16], *arguments[64];
	int fd = open(COMMAND, O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text) - 1);
	unsigned count = 0;

	if (length <= 0)
		fail("read", COMMAND);
	close(fd);
	for (char *word = text; word < text + length && count < 63; word += strlen(word) + 1)
		arguments[count++] = word;
	return arguments;
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("bring up", request.ifr_name);
	close(fd);
}

int main(void)
{
	char **arguments = read_command();

	bring_up_loopback();
	mount_at("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount_at("/dev/vda", "/image", "erofs", MS_RDONLY, "");
	mount_at("/dev/vdb", "/writable", "ext4", MS_NOATIME, "discard,nobarrier");
	mkdir("/writable/upper", 0755);
	mkdir("/writable/work", 0700);
	mount_at("overlay", "/root", "overlay", 0,
		 "lowerdir=/image,upperdir=/writable/upper,workdir=/writable/work,redirect_dir=on,volatile");
	mount_at("proc", "/root/proc", "proc", 0, "");
	mount_at("sysfs", "/root/sys", "sysfs", 0, "");
	mount_at("devtmpfs", "/root/dev", "devtmpfs", 0, "");
	mount_at("tmpfs", "/root/dev/shm", "tmpfs", 0, "");
	mkdir("/root/share", 0755);
	/* Only the bench of shared folders has this device. */
	if (mount(SHARE, "/root/share", "virtiofs", 0, "") < 0)
		rmdir("/root/share");
	if (chdir("/root") == 0 && chroot(".") == 0) {
		setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
		while (strchr(*arguments, '='))
			putenv(*arguments++);
		execvp(arguments[0], arguments);
	}
	fail("run", arguments[0]);
}

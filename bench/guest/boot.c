/*
 * PID 1 for QEMU: puts the root file system together from the two disks as our own init does, and becomes the
 * program that the kernel's command line names after "--". It makes no namespaces and no devices of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void mount_at(const char *source, const char *path, const char *type, unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	if (mount(source, path, type, flags, options) == 0)
		return;
	fprintf(stderr, "cannot mount %s: %s\n", path, strerror(errno));
	exit(1);
}

int main(int count, char **arguments)
{
	(void)count;
	mount_at("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount_at("/dev/vda", "/image", "erofs", MS_RDONLY, "");
	mount_at("/dev/vdb", "/writable", "ext4", MS_NOATIME, "discard,nobarrier");
	mkdir("/writable/upper", 0755);
	mkdir("/writable/work", 0700);
	mount_at("overlay", "/root", "overlay", 0,
		 "lowerdir=/image,upperdir=/writable/upper,workdir=/writable/work,redirect_dir=on,volatile");
	mount_at("proc", "/root/proc", "proc", 0, "");
	mount_at("devtmpfs", "/root/dev", "devtmpfs", 0, "");
	if (chdir("/root") == 0 && chroot(".") == 0) {
		setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
		execvp(arguments[1], arguments + 1);
	}
	fprintf(stderr, "cannot run %s: %s\n", arguments[1], strerror(errno));
	return 1;
}

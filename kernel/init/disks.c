#include <linux/fs.h>
#include <linux/mount.h>

#include "console.h"
#include "disks.h"

enum { ATTEMPTS = 5000 };

#define IMAGE_DISK "/dev/vda"
#define SCRATCH_DISK "/dev/vdb"
#define IMAGE "/run/image"
#define UPPER WRITABLE_DISK "/upper"
#define WORK WRITABLE_DISK "/work"

static bool mount_at(const char *device, const char *path, const char *type, unsigned long flags,
		     const char *options)
{
	mkdir(path, 0755);
	if (mount(device, path, type, flags, options) == 0)
		return true;
	say("cannot mount %s of the container: %s", type, error_text(errno));
	return false;
}

static uint64_t size_of_disk(const char *path)
{
	uint64_t size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ioctl(fd, BLKGETSIZE64, &size);
	close(fd);
	return size;
}

/* The host has told the disk's size already, but the kernel's driver may still have to hear of it. */
static void await_image(void)
{
	for (int i = 0; i < ATTEMPTS && size_of_disk(IMAGE_DISK) == 0; i++)
		usleep(1000);
}

/* The upper directory stands for the root directory of the container. */
static bool make_upper(void)
{
	struct stat image;

	if (stat(IMAGE, &image) == 0 && mkdir(UPPER, 0755) == 0 && mkdir(WORK, 0700) == 0 &&
	    chown(UPPER, image.st_uid, image.st_gid) == 0 && chmod(UPPER, image.st_mode & 07777) == 0)
		return true;
	say("cannot prepare the container's writable disk: %s", error_text(errno));
	return false;
}

bool mount_disks(void)
{
	await_image();
	/* What is written is gone with the machine, so nothing needs to be forced to the disk (volatile). */
	return mount_at(IMAGE_DISK, IMAGE, "erofs", MS_RDONLY | MS_NODEV, "") &&
	       mount_at(SCRATCH_DISK, WRITABLE_DISK, "ext4", MS_NOATIME | MS_NODEV, "discard,nobarrier") &&
	       make_upper() &&
	       /* Root in the container may make device nodes, but none of them opens (nodev). */
	       mount_at("overlay", CONTAINER_ROOT, "overlay", MS_NODEV,
			"lowerdir=" IMAGE ",upperdir=" UPPER ",workdir=" WORK ",redirect_dir=on,volatile") &&
	       mount_at("devpts", CONTAINER_TERMINALS, "devpts", MS_NOSUID | MS_NOEXEC,
			"newinstance,gid=5,mode=620,ptmxmode=666");
}

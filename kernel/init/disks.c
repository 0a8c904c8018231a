#include <linux/fs.h>
#include <linux/mount.h>

#include "change.h"
#include "console.h"
#include "disks.h"
#include "files.h"

enum { ATTEMPTS = 5000, MOST_HELPER = 1 << 20 };

/* virtio's serial numbers have at most 20 bytes, the kernel's device names 31. */
enum { SERIAL_SIZE = 21, DEVICE_SIZE = 40 };

#define HELPER "/linuxrun-channel"
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

static void device_path(const char *name, char path[DEVICE_SIZE])
{
	strcpy(path, "/dev/");
	strlcat(path, name, DEVICE_SIZE);
}

static bool has_serial(const char *name, const char *serial)
{
	char path[64] = "/sys/block/", text[SERIAL_SIZE];

	strlcat(path, name, sizeof(path));
	strlcat(path, "/serial", sizeof(path));
	text[read_file(path, text, sizeof(text) - 1)] = 0;
	return strcmp(text, serial) == 0;
}

/* Finds the device (/dev/vda) of the disk with this serial number. Returns false if there is none. */
static bool find_disk(const char *serial, char device[DEVICE_SIZE])
{
	static char entries[4096] __attribute__((aligned(8)));
	int disks = open("/sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n;
	bool found = false;

	while (!found && (n = getdents64(disks, (void *)entries, sizeof(entries))) > 0) {
		for (char *at = entries; !found && at < entries + n;) {
			const struct linux_dirent64 *entry = (void *)at;

			found = has_serial(entry->d_name, serial);
			if (found)
				device_path(entry->d_name, device);
			at += entry->d_reclen;
		}
	}
	close(disks);
	if (!found)
		say("the machine has no disk %s", serial);
	return found;
}

static uint64_t size_of_disk(const char *path)
{
	uint64_t size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ioctl(fd, BLKGETSIZE64, &size);
	close(fd);
	return size;
}

/* The host has announced the disk's size already, but the kernel's driver may still have to process that. */
static void await_size(const char *device)
{
	for (int i = 0; i < ATTEMPTS && size_of_disk(device) == 0; i++)
		usleep(1000);
}

/* Removes what an earlier container of this machine has written. */
static bool empty_writable_disk(void)
{
	static const char *const names[] = { "upper", "work" };
	struct place place = { .folder = open(WRITABLE_DISK, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	const char *problem = NULL;

	for (int i = 0; i < 2 && !problem; i++) {
		strcpy(place.name, names[i]);
		if (syscall(__NR_unlinkat, place.folder, place.name, AT_REMOVEDIR) < 0 && errno == ENOTEMPTY)
			problem = remove_tree(&place);
	}
	close(place.folder);
	if (problem)
		say("cannot empty the container's writable disk: %s", problem);
	return !problem;
}

/* Makes the upper directory, whose attributes become those of the container's root directory. */
static bool make_upper(void)
{
	struct stat image;

	if (stat(IMAGE, &image) == 0 && mkdir(UPPER, 0755) == 0 && mkdir(WORK, 0700) == 0 &&
	    chown(UPPER, image.st_uid, image.st_gid) == 0 && chmod(UPPER, image.st_mode & 07777) == 0)
		return true;
	say("cannot prepare the container's writable disk: %s", error_text(errno));
	return false;
}

/* Copies the program by which shells use channels. */
static bool copy_helper(void)
{
	int from = open("/bin" HELPER, O_RDONLY | O_CLOEXEC);
	int to = open(CONTAINER_CHANNELS HELPER, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	bool copied = syscall(__NR_sendfile, to, from, NULL, MOST_HELPER) > 0;

	if (!copied)
		say("cannot copy the program for channels: %s", error_text(errno));
	close(from);
	close(to);
	return copied;
}

bool mount_disks(const char *image, const char *scratch)
{
	char image_device[DEVICE_SIZE], scratch_device[DEVICE_SIZE];

	if (!find_disk(image, image_device) || !find_disk(scratch, scratch_device))
		return false;
	await_size(image_device);
	/* Written data is lost with the machine, so nothing needs to be forced to the disk (volatile). */
	return mount_at(image_device, IMAGE, "erofs", MS_RDONLY | MS_NODEV, "") &&
	       mount_at(scratch_device, WRITABLE_DISK, "ext4", MS_NOATIME | MS_NODEV, "discard,nobarrier") &&
	       empty_writable_disk() && make_upper() &&
	       /* Root in the container may make device nodes, but none of them opens (nodev). */
	       mount_at("overlay", CONTAINER_ROOT, "overlay", MS_NODEV,
			"lowerdir=" IMAGE ",upperdir=" UPPER ",workdir=" WORK ",redirect_dir=on,volatile") &&
	       mount_at("devpts", CONTAINER_TERMINALS, "devpts", MS_NOSUID | MS_NOEXEC,
			"newinstance,gid=5,mode=620,ptmxmode=666") &&
	       mount_at("tmpfs", CONTAINER_CHANNELS, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=1k") &&
	       copy_helper();
}

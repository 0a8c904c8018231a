#include <linux/fanotify.h>
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
#define NEW_UPPER WRITABLE_DISK "/new"
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

/* Removes folders of the writable disk. */
static bool remove_folders(const char *const *names)
{
	struct place place = { .folder = open(WRITABLE_DISK, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	const char *problem = NULL;

	for (; *names && !problem; names++) {
		strcpy(place.name, *names);
		if (syscall(__NR_unlinkat, place.folder, place.name, AT_REMOVEDIR) < 0 && errno == ENOTEMPTY)
			problem = remove_tree(&place);
	}
	close(place.folder);
	if (problem)
		say("cannot empty the container's writable disk: %s", problem);
	return !problem;
}

/*
 * Makes the upper directory, whose attributes become those of the container's root directory. It gets its
 * name when it is complete, because a crash may come at any time.
 */
static bool make_upper(void)
{
	struct stat image;

	return stat(IMAGE, &image) == 0 && mkdir(NEW_UPPER, 0755) == 0 &&
	       chown(NEW_UPPER, image.st_uid, image.st_gid) == 0 && chmod(NEW_UPPER, image.st_mode & 07777) == 0 &&
	       syscall(__NR_renameat2, AT_FDCWD, NEW_UPPER, AT_FDCWD, UPPER, 0) == 0;
}

/* A link is none: the disk of a saved session may come from anywhere. */
static bool has_upper(void)
{
	struct statx upper;

	return statx(AT_FDCWD, UPPER, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &upper) == 0 && S_ISDIR(upper.stx_mode);
}

/* Removes what must not be left of an earlier container, and makes what overlayfs needs. */
static bool prepare_writable_disk(bool kept)
{
	static const char *const names[] = { "new", "work", "upper", NULL }, *const kept_names[] = { "new", "work", NULL };

	if (!remove_folders(kept ? kept_names : names))
		return false;
	if ((has_upper() || make_upper()) && mkdir(WORK, 0700) == 0)
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

/* The kernel counts errors of a file system on its disk, where nothing repairs them. */
static bool has_had_errors(const char *device)
{
	char path[64] = "/sys/fs/ext4", count[16];

	strlcat(path, strrchr(device, '/'), sizeof(path));
	strlcat(path, "/errors_count", sizeof(path));
	count[read_file(path, count, sizeof(count) - 1)] = 0;
	return strtoul(count, NULL, 10) > 0;
}

static bool mount_kept_disk(const char *device)
{
	mkdir(WRITABLE_DISK, 0755);
	if (mount(device, WRITABLE_DISK, "ext4", MS_NOATIME | MS_NODEV, "discard,errors=remount-ro") < 0) {
		say("the container's disk cannot be mounted: %s",
		    errno == EINVAL ? error_text(EUCLEAN) : error_text(errno));
		return false;
	}
	if (has_had_errors(device))
		say("the container's disk has had errors: copy what you need to a new container");
	return true;
}

static bool mount_writable_disk(const char *device, bool kept)
{
	/* Nothing waits for a disk that is lost with the machine (nobarrier). */
	return kept ? mount_kept_disk(device)
		    : mount_at(device, WRITABLE_DISK, "ext4", MS_NOATIME | MS_NODEV, "discard,nobarrier");
}

static bool mount_overlay(bool kept)
{
	char options[] = "lowerdir=" IMAGE ",upperdir=" UPPER ",workdir=" WORK ",redirect_dir=on,volatile";

	if (kept)
		*strrchr(options, ',') = 0;
	/* Root in the container may make device nodes, but none of them opens (nodev). */
	return mount_at("overlay", CONTAINER_ROOT, "overlay", MS_NODEV, options);
}

bool mount_root(const char *image, const char *writable, bool kept)
{
	char image_device[DEVICE_SIZE], writable_device[DEVICE_SIZE];

	if (!find_disk(image, image_device) || !find_disk(writable, writable_device))
		return false;
	await_size(image_device);
	return mount_at(image_device, IMAGE, "erofs", MS_RDONLY | MS_NODEV, "") &&
	       mount_writable_disk(writable_device, kept) && prepare_writable_disk(kept) && mount_overlay(kept);
}

bool mount_disks(const char *image, const char *writable, bool kept)
{
	return mount_root(image, writable, kept) &&
	       mount_at("devpts", CONTAINER_TERMINALS, "devpts", MS_NOSUID | MS_NOEXEC,
			"newinstance,gid=5,mode=620,ptmxmode=666") &&
	       mount_at("tmpfs", CONTAINER_CHANNELS, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=1k") &&
	       copy_helper();
}

int watch_writable_disk(void)
{
	int watch = syscall(__NR_fanotify_init, FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);

	syscall(__NR_fanotify_mark, watch, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_FS_ERROR, AT_FDCWD, WRITABLE_DISK);
	return watch;
}

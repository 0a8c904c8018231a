#include <linux/fanotify.h>
#include <linux/fs.h>
#include <linux/mount.h>

#include "change.h"
#include "console.h"
#include "disks.h"
#include "files.h"

enum { ATTEMPTS = 5000, MOST_DISKS = 8 };

/* virtio's serial numbers have at most 20 bytes, the kernel's device names 31. */
enum { SERIAL_SIZE = 21, DEVICE_SIZE = 40 };

/* By which the host's device is found. */
#define SHARES_TAG "linuxrun"

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

/* The disks of the machine that have a serial number. Their set never changes. */
static struct disk {
	char serial[SERIAL_SIZE], device[DEVICE_SIZE];
} disks[MOST_DISKS];
static unsigned disk_count;

static void add_disk(const char *name)
{
	struct disk *disk = &disks[disk_count];
	char path[64] = "/sys/block/";

	strlcat(path, name, sizeof(path));
	strlcat(path, "/serial", sizeof(path));
	if (disk_count == MOST_DISKS || read_file(path, disk->serial, SERIAL_SIZE - 1) == 0)
		return;
	device_path(name, disk->device);
	disk_count++;
}

/* Reading a serial number is a request to the disk. */
static void list_disks(void)
{
	static char entries[4096] __attribute__((aligned(8)));
	int folder = open("/sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n;

	while ((n = getdents64(folder, (void *)entries, sizeof(entries))) > 0) {
		for (char *at = entries; at < entries + n;) {
			const struct linux_dirent64 *entry = (void *)at;

			add_disk(entry->d_name);
			at += entry->d_reclen;
		}
	}
	close(folder);
}

/* Returns the device (/dev/vda) of the disk with this serial number, or NULL. */
static const char *find_disk(const char *serial)
{
	if (disk_count == 0)
		list_disks();
	for (unsigned i = 0; i < disk_count; i++)
		if (strcmp(disks[i].serial, serial) == 0)
			return disks[i].device;
	say("the machine has no disk %s", serial);
	return NULL;
}

static uint64_t size_of_disk(const char *path)
{
	uint64_t size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ioctl(fd, BLKGETSIZE64, &size);
	close(fd);
	return size;
}

/* The first mount of a kind of file system makes the kernel's caches for it. The disks stay as they are. */
void disks_prepare(void)
{
	list_disks();
	mkdir(WRITABLE_DISK, 0755);
	for (unsigned i = 0; i < disk_count; i++)
		if (size_of_disk(disks[i].device) > 0 &&
		    mount(disks[i].device, WRITABLE_DISK, "ext4", MS_RDONLY | MS_SILENT, "noload") == 0)
			umount2(WRITABLE_DISK, 0);
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

bool mount_disks(const char *image, const char *writable, bool kept)
{
	const char *image_device = find_disk(image), *writable_device = image_device ? find_disk(writable) : NULL;

	if (!writable_device)
		return false;
	await_size(image_device);
	return mount_at(image_device, IMAGE, "erofs", MS_RDONLY | MS_NODEV, "") &&
	       mount_writable_disk(writable_device, kept) && prepare_writable_disk(kept) && mount_overlay(kept);
}

bool mount_emulator(const char *serial)
{
	const char *device = find_disk(serial);

	if (!device)
		return false;
	await_size(device);
	return mount_at(device, EMULATOR_DISK, "erofs", MS_RDONLY | MS_NODEV, "");
}

/* Linux reads 128 KiB of a file ahead, but a request to the device may carry a MiB, and each takes time. */
static void read_further_ahead(const char *path)
{
	char setting[64] = "/sys/class/bdi/0:";
	struct statx status;

	/* This waits for the device's answer to INIT, with which the kernel sets its own value. */
	if (statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) < 0)
		return;
	utoa_r(status.stx_dev_minor, setting + strlen(setting));
	strlcat(setting, "/read_ahead_kb", sizeof(setting));
	write_file(setting, "1024");
}

bool mount_shares(void)
{
	if (!mount_at(SHARES_TAG, CONTAINER_SHARES, "virtiofs", MS_NODEV, ""))
		return false;
	read_further_ahead(CONTAINER_SHARES);
	return true;
}

int watch_writable_disk(void)
{
	int watch = syscall(__NR_fanotify_init, FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);

	syscall(__NR_fanotify_mark, watch, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_FS_ERROR, AT_FDCWD, WRITABLE_DISK);
	return watch;
}

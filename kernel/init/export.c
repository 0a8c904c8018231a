#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "cgroup.h"
#include "console.h"
#include "disks.h"
#include "export.h"
#include "links.h"
#include "tar.h"

/* Names of one character, and slashes. Two folders are open in each level. */
enum { MOST_LEVELS = PATH_MAX / 2 + 1, MOST_OPEN_FILES = 2 * MOST_LEVELS + 64 };
enum { ENTRIES_SIZE = 1 << 12, CONTENT_SIZE = 1 << 16, ATTRIBUTE_SIZE = 1 << 16, PERMISSIONS = 07777 };

/* OCI image specification, layer.md: whiteouts. */
#define WHITEOUT ".wh."
#define OPAQUE WHITEOUT WHITEOUT ".opq"

/* Attributes by which overlayfs describes changes (Linux, Documentation/filesystems/overlayfs.rst). */
#define OVERLAY "trusted.overlay."

/*
 * A folder that is being exported: what the container has changed there, or all of it if an ancestor was
 * renamed, because the layers below have it under another name.
 */
struct level {
	/* The folder on the writable disk, or -1 if it is only in the image. */
	int upper;
	/* The container's folder if all of it is exported, or -1. */
	int merged;
	/* The position of the next file, and the length of the folder's path. */
	int64_t at;
	size_t path_length;
};

static struct level levels[MOST_LEVELS];
static unsigned depth;

/* The current file's, relative to the container's root. */
static char path[PATH_MAX + sizeof(OPAQUE)];

/* The roots of the container, and of its image. */
static int root, image;

/* The number of files that a layer cannot have. */
static unsigned left_out;

/* Returns the reason for a failure with the current file. */
static const char *failure(int error)
{
	static char reason[PATH_MAX + 128];

	strlcpy(reason, error_reason(error), sizeof(reason));
	strlcat(reason, ": /", sizeof(reason));
	strlcat(reason, path, sizeof(reason));
	make_printable(reason);
	return reason;
}

static bool read_status(int folder, const char *name, struct statx *status)
{
	return statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, status) == 0;
}

/* Opens a file or folder of this file system, without following links. */
static int open_below(int folder, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return syscall(__NR_openat2, folder, name, &how, sizeof(how));
}

/* A path by which attributes of a file of any type can be read. */
static const char *path_in(int folder, const char *name)
{
	static char text[sizeof("/proc/self/fd/") + 16 + PATH_MAX];

	strcpy(text, "/proc/self/fd/");
	itoa_r(folder, text + strlen(text));
	strlcat(text, "/", sizeof(text));
	strlcat(text, name, sizeof(text));
	return text;
}

/* Returns the length of an attribute's value, or -1. */
static ssize_t read_attribute(const char *file, const char *name, char value[ATTRIBUTE_SIZE])
{
	return syscall(__NR_lgetxattr, file, name, value, ATTRIBUTE_SIZE);
}

/* Adds the attributes that belong to the container to the next entry. A name with '=' cannot be in a tar. */
static bool add_attributes(int folder, const char *name)
{
	static char names[ATTRIBUTE_SIZE], value[ATTRIBUTE_SIZE];
	const char *file = path_in(folder, name);
	ssize_t length = syscall(__NR_llistxattr, file, names, sizeof(names));

	for (const char *at = names; at < names + length; at += strlen(at) + 1) {
		if (strncmp(at, OVERLAY, strlen(OVERLAY)) == 0 || strchr(at, '='))
			continue;

		ssize_t size = read_attribute(file, at, value);

		if (size >= 0 && !tar_add_attribute(at, value, size)) {
			errno = E2BIG;
			return false;
		}
	}
	return true;
}

static struct tar_entry describe(const struct statx *status, char type)
{
	return (struct tar_entry){
		.type = type,
		.path = path,
		.mode = status->stx_mode & PERMISSIONS,
		.uid = status->stx_uid,
		.gid = status->stx_gid,
		.modified = status->stx_mtime.tv_sec,
		.nanoseconds = status->stx_mtime.tv_nsec,
	};
}

static const char *write_entry(int folder, const char *name, const struct tar_entry *entry)
{
	return add_attributes(folder, name) && tar_write_entry(entry) ? NULL : failure(errno);
}

/* An empty file that stands for something else. */
static const char *write_mark(void)
{
	const struct tar_entry mark = { .type = TAR_FILE, .path = path };

	return tar_write_entry(&mark) ? NULL : failure(errno);
}

/* A file that an outsider has made shorter meanwhile is completed by zeros. */
static bool write_content(int file, uint64_t size)
{
	static char content[CONTENT_SIZE];

	for (uint64_t left = size; left > 0;) {
		size_t part = left < sizeof(content) ? left : sizeof(content);
		ssize_t n = read(file, content, part);

		if (n < 0)
			return false;
		if (n == 0)
			memset(content, 0, n = part);
		if (!tar_write(content, n))
			return false;
		left -= n;
	}
	return tar_pad(size);
}

static const char *export_file(int folder, const char *name, const struct statx *status)
{
	struct tar_entry entry = describe(status, TAR_FILE);
	int file = open_below(folder, name, 0);

	if (file < 0)
		return failure(errno);
	entry.size = status->stx_size;

	const char *problem = write_entry(folder, name, &entry);

	if (!problem && !write_content(file, entry.size))
		problem = failure(errno);
	close(file);
	return problem;
}

static const char *export_link(int folder, const char *name, const struct statx *status)
{
	static char target[PATH_MAX];
	struct tar_entry entry = describe(status, TAR_SYMLINK);
	ssize_t length = syscall(__NR_readlinkat, folder, name, target, sizeof(target) - 1);

	if (length < 0)
		return failure(errno);
	target[length] = 0;
	entry.target = target;
	return write_entry(folder, name, &entry);
}

static const char *export_special(int folder, const char *name, const struct statx *status)
{
	struct tar_entry entry = describe(status, S_ISCHR(status->stx_mode)   ? TAR_CHARACTER
						  : S_ISBLK(status->stx_mode) ? TAR_BLOCK
									      : TAR_FIFO);

	entry.major = status->stx_rdev_major;
	entry.minor = status->stx_rdev_minor;
	return write_entry(folder, name, &entry);
}

/* Exports a file that has been exported under another name already. */
static const char *export_again(const struct statx *status, const char *first)
{
	struct tar_entry entry = describe(status, TAR_LINK);

	entry.target = first;
	return tar_write_entry(&entry) ? NULL : failure(errno);
}

static const char *first_path(const struct statx *status)
{
	const struct file_identity file = { status->stx_ino, status->stx_dev_major, status->stx_dev_minor };

	return status->stx_nlink > 1 ? links_first_path(&file, path) : NULL;
}

static const char *export_other(int folder, const char *name, const struct statx *status)
{
	const char *first = first_path(status);

	if (first)
		return export_again(status, first);
	if (S_ISREG(status->stx_mode))
		return export_file(folder, name, status);
	if (S_ISLNK(status->stx_mode))
		return export_link(folder, name, status);
	return export_special(folder, name, status);
}

/* Sets the current path. Returns whether it is not too long. */
static bool enter_path(size_t folder_length, const char *prefix, const char *name)
{
	path[folder_length] = 0;
	strlcat(path, prefix, sizeof(path));
	return strlcat(path, name, sizeof(path)) < PATH_MAX;
}

/* overlayfs makes all new folders opaque. */
static bool is_opaque(const char *file)
{
	static char value[ATTRIBUTE_SIZE];

	return read_attribute(file, OVERLAY "opaque", value) == 1 && *value == 'y';
}

/* Whether the image has a folder at the current path. */
static bool is_in_image(void)
{
	int folder = open_below(image, path, O_DIRECTORY);

	if (folder < 0)
		return false;
	close(folder);
	return true;
}

/* Whether the folder is one of the image with a new name. */
static bool is_renamed(const char *file)
{
	static char value[ATTRIBUTE_SIZE];

	return read_attribute(file, OVERLAY "redirect", value) > 0;
}

/* Begins a level. The current path is that of its folder, with a slash at the end. */
static const char *begin_level(int upper, int merged)
{
	levels[depth++] = (struct level){ .upper = upper, .merged = merged, .path_length = strlen(path) };
	return NULL;
}

static const char *begin_changed_folder(const struct level *parent, const char *name)
{
	const char *file = path_in(parent->upper, name);
	bool renamed = is_renamed(file), replaces = (renamed || is_opaque(file)) && is_in_image();
	int upper = open_below(parent->upper, name, O_DIRECTORY);
	int merged = renamed ? open_below(root, path, O_DIRECTORY) : -1;
	size_t length = strlen(path);
	const char *problem = NULL;

	if (upper < 0 || (renamed && merged < 0))
		return failure(errno);
	if (replaces) {
		strcpy(path + length, OPAQUE);
		problem = write_mark();
		path[length] = 0;
	}
	return problem ? problem : begin_level(upper, merged);
}

static const char *begin_whole_folder(const struct level *parent, const char *name)
{
	int upper = parent->upper < 0 ? -1 : open_below(parent->upper, name, O_DIRECTORY);
	int merged = open_below(parent->merged, name, O_DIRECTORY);

	return merged < 0 ? failure(errno) : begin_level(upper, merged);
}

static const char *export_folder(const struct level *parent, const char *name, const struct statx *status)
{
	struct tar_entry entry = describe(status, TAR_FOLDER);

	if (strlcat(path, "/", sizeof(path)) >= PATH_MAX)
		return failure(ENAMETOOLONG);

	const char *problem = write_entry(parent->merged < 0 ? parent->upper : parent->merged, name, &entry);

	if (problem)
		return problem;
	return parent->merged < 0 ? begin_changed_folder(parent, name) : begin_whole_folder(parent, name);
}

static bool is_whiteout(const struct statx *status)
{
	return S_ISCHR(status->stx_mode) && status->stx_rdev_major == 0 && status->stx_rdev_minor == 0;
}

/* The agent writes these files at each start. */
static bool is_of_agent(void)
{
	static const char *const files[] = { "etc/hostname", "etc/hosts", "etc/resolv.conf" };

	for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	return false;
}

/*
 * Finds the folder that has the file itself: the one on the writable disk if possible, where hard links are
 * those of the container. Returns its descriptor, or -1 if there is no such file.
 */
static int find_file(const struct level *level, const char *name, struct statx *status)
{
	if (level->merged < 0)
		return read_status(level->upper, name, status) ? level->upper : -1;
	if (level->upper >= 0 && read_status(level->upper, name, status) && !S_ISDIR(status->stx_mode))
		return level->upper;
	return read_status(level->merged, name, status) ? level->merged : -1;
}

static const char *export_one(const struct level *level, const char *name)
{
	struct statx status;
	int folder = find_file(level, name, &status);

	if (folder < 0)
		return errno == ENOENT ? NULL : failure(errno);
	if (is_whiteout(&status))
		return enter_path(level->path_length, WHITEOUT, name) ? write_mark() : failure(ENAMETOOLONG);
	if (!enter_path(level->path_length, "", name))
		return failure(ENAMETOOLONG);
	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0) {
		left_out++;
		return NULL;
	}
	if (S_ISSOCK(status.stx_mode) || is_of_agent())
		return NULL;
	return S_ISDIR(status.stx_mode) ? export_folder(level, name, &status) : export_other(folder, name, &status);
}

/* Exports some files of the last level, up to the first folder. */
static const char *export_entries(struct level *level, char *entries, int length)
{
	const char *problem = NULL;
	unsigned before = depth;

	for (int at = 0; at < length && !problem && depth == before;) {
		struct linux_dirent64 *entry = (void *)(entries + at);

		level->at = entry->d_off;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			problem = export_one(level, entry->d_name);
		at += entry->d_reclen;
	}
	return problem;
}

/* Goes on with the last level. Ends it if there are no more files. */
static const char *go_on(void)
{
	static char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	struct level *level = &levels[depth - 1];
	int folder = level->merged < 0 ? level->upper : level->merged;

	lseek(folder, level->at, SEEK_SET);

	int length = getdents64(folder, (void *)entries, sizeof(entries));

	if (length > 0)
		return export_entries(level, entries, length);
	enter_path(level->path_length, "", "");
	if (length < 0)
		return failure(errno);
	if (level->upper >= 0)
		close(level->upper);
	if (level->merged >= 0)
		close(level->merged);
	depth--;
	return NULL;
}

static const char *export_root(void)
{
	struct statx status;
	int upper = open(UPPER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	root = open(CONTAINER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	image = open(IMAGE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || image < 0 || !read_status(upper, ".", &status))
		return failure(errno);
	strcpy(path, "./");

	struct tar_entry entry = describe(&status, TAR_FOLDER);
	const char *problem = write_entry(upper, ".", &entry);

	*path = 0;
	return problem ? problem : begin_level(upper, -1);
}

/* Enters a mount namespace in which the container's disks are mounted. */
static const char *enter(const struct file_request *request, const struct container *container)
{
	if (*request->image) {
		if (syscall(__NR_unshare, CLONE_NEWNS) < 0)
			return error_reason(errno);
		return mount_disks(request->image, request->writable, true) ? NULL : "EIO: its disks cannot be used";
	}
	if (container_join(container) < 0)
		return "ESRCH: the container does not run";
	cgroup_freeze(container->group, true);
	return syscall(__NR_setns, container->supervisor, CLONE_NEWNS) < 0 ? "ESRCH: the container has ended" : NULL;
}

const char *export_changes(const struct file_request *request, const struct container *container, int stream)
{
	static const struct rlimit files = { .rlim_cur = MOST_OPEN_FILES, .rlim_max = MOST_OPEN_FILES };
	const char *problem = enter(request, container);

	setrlimit(RLIMIT_NOFILE, &files);
	tar_begin(stream);
	if (!problem)
		problem = export_root();
	while (!problem && depth > 0)
		problem = go_on();
	if (!problem && !tar_end())
		problem = failure(errno);
	if (!problem && left_out > 0)
		say("left out, because a layer cannot have names that begin with " WHITEOUT ": %u", left_out);
	return problem;
}

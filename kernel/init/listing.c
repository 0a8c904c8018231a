#include "console.h"
#include "listing.h"
#include "record.h"
#include "vsock.h"

enum { ENTRIES_SIZE = 1 << 15, RECORDS_SIZE = 1 << 16 };

/* Records that have not been sent yet. */
static char records[RECORDS_SIZE];
static size_t used;

static bool flush(int stream)
{
	size_t length = used;

	used = 0;
	return write_all(stream, records, length) == 0;
}

/* Nothing here opens the file, because that may have an effect or block. */
static bool read_status(int folder, const char *name, int flags, struct statx *status)
{
	return statx(folder, name, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, status) == 0;
}

/* A link that has become another file meanwhile has an empty target. */
static void read_target(int folder, const char *name, struct record *record, char target[PATH_MAX])
{
	ssize_t length = syscall(__NR_readlinkat, folder, name, target, PATH_MAX - 1);
	struct statx status;

	target[length < 0 ? 0 : length] = 0;
	if (read_status(folder, name, 0, &status))
		record->target_mode = status.stx_mode;
}

/* Adds a record to those that wait to be sent. */
static bool add(int folder, const char *path, const char *name, const struct statx *status, int stream)
{
	struct record record = {
		.mode = status->stx_mode,
		.size = status->stx_size,
		.modified = status->stx_mtime.tv_sec,
		.modified_nanoseconds = status->stx_mtime.tv_nsec,
		.uid = status->stx_uid,
		.gid = status->stx_gid,
		.flags = status->stx_attributes & STATX_ATTR_MOUNT_ROOT ? MOUNT_POINT : 0,
	};
	char target[PATH_MAX] = "";

	if (S_ISLNK(record.mode))
		read_target(folder, path, &record, target);
	if (used + RECORD_LIMIT > sizeof(records) && !flush(stream))
		return false;
	used += record_write(records + used, &record, name, target);
	return true;
}

/* A file without a readable status has a mode of 0. One that is gone meanwhile has no record. */
static bool add_entry(int folder, const char *name, int stream)
{
	struct statx status = { 0 };

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (!read_status(folder, name, AT_SYMLINK_NOFOLLOW, &status) && errno == ENOENT)
		return true;
	return add(folder, name, name, &status, stream);
}

const char *list_folder(const char *path, int stream)
{
	static char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	/* With O_DIRECTORY, Linux opens neither FIFOs nor devices. */
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int length;

	if (folder < 0)
		return error_reason(errno);
	while ((length = getdents64(folder, (void *)entries, sizeof(entries))) > 0) {
		for (int at = 0; at < length;) {
			struct linux_dirent64 *entry = (void *)(entries + at);

			if (!add_entry(folder, entry->d_name, stream))
				return error_reason(errno);
			at += entry->d_reclen;
		}
		/* The user sees the first files of a large folder at once. */
		if (!flush(stream))
			return error_reason(errno);
	}
	return length < 0 ? error_reason(errno) : NULL;
}

const char *stat_file(const char *path, bool follows_link, int stream)
{
	struct statx status;

	if (!read_status(AT_FDCWD, path, follows_link ? 0 : AT_SYMLINK_NOFOLLOW, &status) ||
	    !add(AT_FDCWD, path, "", &status, stream) || !flush(stream))
		return error_reason(errno);
	return NULL;
}

#include <linux/openat2.h>

#include "change.h"
#include "console.h"

/* Levels are open at the same time, and a process may open 1024 files. */
enum { MOST_LEVELS = 512, ENTRIES_SIZE = 1 << 12, PERMISSIONS = 01777, NO_REPLACE = 1 };

#define MOVED_NAME ".linuxrun-"

/* A folder that is being emptied. */
struct level {
	int folder;
	/* The position of the next entry, and whether the folder at this position has been emptied. */
	int64_t at;
	bool entered;
};

static struct level levels[MOST_LEVELS];
static unsigned depth;

static const char *removal_reason(int error)
{
	return error == EBUSY ? "EBUSY: a file system is mounted there" : error_reason(error);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/*
 * Removes a file or an empty folder. Linux refuses to remove mount points. Returns 0 or an errno.
 */
static int remove_one(int folder, const char *name)
{
	if (syscall(__NR_unlinkat, folder, name, 0) == 0)
		return 0;
	if (errno == EISDIR && syscall(__NR_unlinkat, folder, name, AT_REMOVEDIR) == 0)
		return 0;
	return errno;
}

/* Never leads out of the folder: neither through a link nor into another file system. */
static const char *enter(int folder, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = syscall(__NR_openat2, folder, name, &how, sizeof(how));

	if (fd < 0)
		return error_reason(errno);
	levels[depth++] = (struct level){ .folder = fd };
	return NULL;
}

/*
 * A folder below the last level becomes one of the first level, so that a tree of any depth needs only so
 * many levels.
 */
static const char *lift(int folder, const char *name)
{
	char moved[sizeof(MOVED_NAME) + 16] = MOVED_NAME;
	uint64_t random;

	syscall(__NR_getrandom, &random, sizeof(random), 0);
	u64toh_r(random, moved + strlen(moved));
	if (syscall(__NR_renameat2, folder, name, levels[0].folder, moved, NO_REPLACE) < 0)
		return error_reason(errno);
	levels[0].at = 0;
	levels[0].entered = false;
	return NULL;
}

/* Goes on in a folder that is not empty. */
static const char *descend(struct level *level, const char *name)
{
	if (level->entered)
		return error_reason(ENOTEMPTY);
	if (depth == MOST_LEVELS)
		return lift(level->folder, name);
	level->entered = true;
	return enter(level->folder, name);
}

/* Removes the entries, up to a folder that is not empty. */
static const char *remove_entries(struct level *level, char *entries, int length)
{
	for (int at = 0; at < length;) {
		struct linux_dirent64 *entry = (void *)(entries + at);
		/* Another process may have removed the file. */
		int error = is_dots(entry->d_name) ? ENOENT : remove_one(level->folder, entry->d_name);

		if (error == ENOTEMPTY)
			return descend(level, entry->d_name);
		if (error && error != ENOENT)
			return removal_reason(error);
		level->at = entry->d_off;
		level->entered = false;
		at += entry->d_reclen;
	}
	return NULL;
}

/* Removes some entries of the last level. Ends the level if there are no more. */
static const char *sweep(void)
{
	static char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	struct level *level = &levels[depth - 1];

	lseek(level->folder, level->at, SEEK_SET);

	int length = getdents64(level->folder, (void *)entries, sizeof(entries));

	if (length < 0)
		return error_reason(errno);
	if (length > 0)
		return remove_entries(level, entries, length);
	close(level->folder);
	depth--;
	return NULL;
}

const char *remove_tree(const struct place *place)
{
	const char *problem = enter(place->folder, place->name);

	while (!problem && depth > 0)
		problem = sweep();
	if (problem)
		return problem;

	int error = remove_one(place->folder, place->name);

	return error ? removal_reason(error) : NULL;
}

const char *remove_file(const struct file_request *request)
{
	static struct place place;
	const char *problem = path_resolve_name(request->path, &place);

	if (problem)
		return problem;

	int error = remove_one(place.folder, place.name);

	if (error == ENOTEMPTY && request->flags & RECURSIVE)
		return remove_tree(&place);
	return error ? removal_reason(error) : NULL;
}

const char *make_folder(const struct file_request *request)
{
	static struct place place;
	uint32_t mode = request->mode & PERMISSIONS;

	umask(0);
	if (request->flags & WITH_PARENTS)
		return path_make(request->path, mode);

	const char *problem = path_resolve_name(request->path, &place);

	if (problem)
		return problem;
	return syscall(__NR_mkdirat, place.folder, place.name, mode) < 0 ? error_reason(errno) : NULL;
}

const char *rename_file(const struct file_request *request)
{
	static struct place from, to;
	const char *problem = path_resolve_name(request->path, &from);

	if (!problem)
		problem = path_resolve_name(request->new_path, &to);
	if (problem)
		return problem;

	unsigned flags = request->flags & REPLACE ? 0 : NO_REPLACE;

	if (syscall(__NR_renameat2, from.folder, from.name, to.folder, to.name, flags) < 0)
		return error_reason(errno);
	return NULL;
}

#include <linux/inotify.h>

#include "console.h"
#include "message.h"
#include "vsock.h"
#include "watch.h"

enum { MOST_FOLDERS = 8192, NAME_LIMIT = 256, EVENTS_SIZE = 1 << 16, TYPE_DIRECTORY = 4, NONE = -1 };

enum {
	CONTENT = IN_MODIFY | IN_ATTRIB,
	ANY = CONTENT | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
};

/* A watched folder, or the watched file itself. A free one has no watch. */
static struct folder {
	int watch;
	/* The index of the folder that has it. */
	int parent;
	bool is_scanned;
	char name[NAME_LIMIT];
} folders[MOST_FOLDERS];

static int inotify, output;
static bool is_recursive;
static const char *root_path;

static struct folder *find_watch(int watch)
{
	for (int i = 0; i < MOST_FOLDERS; i++)
		if (folders[i].watch == watch)
			return &folders[i];
	return NULL;
}

/* Puts text before what ends a path. Returns where the path begins then, or NULL if it is too long. */
static char *prepend(const char *text, char *start, const char path[PATH_MAX])
{
	size_t length = strlen(text);

	return start && length <= (size_t)(start - path) ? memcpy(start - length, text, length) : NULL;
}

/* Writes the path of a file in a folder. Returns whether it is short enough. */
static bool path_in(int folder, const char *name, char path[PATH_MAX])
{
	char *start = path + PATH_MAX - 1;

	*start = 0;
	start = prepend(name, start, path);
	for (; folder != NONE; folder = folders[folder].parent)
		start = prepend(folder == 0 ? root_path : folders[folder].name, prepend("/", start, path), path);
	if (!start)
		return false;
	memmove(path, start, strlen(start) + 1);
	return true;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Returns whether the host still takes records. */
static bool report(enum watch_event type, int folder, const char *name)
{
	static char record[1 + PATH_MAX];
	const char *text = name;
	char path[PATH_MAX];

	if (!*name) {
		text = last_name(root_path);
	} else if (folder != 0) {
		if (!path_in(folder, name, path))
			return true;
		text = path + strlen(root_path) + 1;
	}
	record[0] = type;
	strlcpy(record + 1, text, PATH_MAX);
	return write_all(output, record, 1 + strlen(record + 1) + 1) == 0;
}

/* Watches a folder in another one. It is scanned later, which bounds the stack. */
static void add_folder(int parent, const char *name)
{
	struct folder *free = find_watch(0);
	char path[PATH_MAX];
	struct statx status;

	if (!free || !path_in(parent, name, path) ||
	    statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) < 0 ||
	    status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return;

	int watch = syscall(__NR_inotify_add_watch, inotify, path, ANY | IN_ONLYDIR | IN_DONT_FOLLOW);

	/* The kernel tells of a folder that is watched already by its number. */
	if (watch < 0 || find_watch(watch))
		return;
	*free = (struct folder){ .watch = watch, .parent = parent };
	strlcpy(free->name, name, NAME_LIMIT);
}

static int open_folder(int folder)
{
	char path[PATH_MAX];
	int links = folder == 0 ? 0 : O_NOFOLLOW;

	if (!path_in(folders[folder].parent, folder == 0 ? root_path : folders[folder].name, path))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | links);
}

/*
 * Watches the folders in a folder. What is in a new one may have been made before it was watched. Returns
 * whether the host still takes records.
 */
static bool scan(int folder, bool reports)
{
	static char entries[1 << 15] __attribute__((aligned(8)));
	int fd = open_folder(folder), length;
	bool taken = true;

	while (fd >= 0 && taken && (length = getdents64(fd, (void *)entries, sizeof(entries))) > 0) {
		for (int at = 0; at < length && taken;) {
			const struct linux_dirent64 *entry = (void *)(entries + at);
			const char *name = entry->d_name;

			at += entry->d_reclen;
			if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
				continue;
			taken = !reports || report(FILE_RENAMED, folder, name);
			if (entry->d_type == TYPE_DIRECTORY)
				add_folder(folder, name);
		}
	}
	close(fd);
	return taken;
}

/* Scans the folders that have been added. */
static bool scan_added(bool reports)
{
	bool found = true;

	while (found) {
		found = false;
		for (int i = 0; i < MOST_FOLDERS; i++) {
			if (!folders[i].watch || folders[i].is_scanned)
				continue;
			folders[i].is_scanned = found = true;
			if (!scan(i, reports))
				return false;
		}
	}
	return true;
}

/* Watches a folder, and those below it, no more. The kernel forgets a folder that was removed by itself. */
static void remove_folder(int folder)
{
	for (int i = 1; i < MOST_FOLDERS; i++)
		if (folders[i].watch && folders[i].parent == folder)
			remove_folder(i);
	syscall(__NR_inotify_rm_watch, inotify, folders[folder].watch);
	folders[folder].watch = 0;
}

static void remove_name(int parent, const char *name)
{
	for (int i = 1; i < MOST_FOLDERS; i++)
		if (folders[i].watch && folders[i].parent == parent && strcmp(folders[i].name, name) == 0)
			remove_folder(i);
}

/* Follows changes of the tree. */
static bool follow(const struct inotify_event *event, int folder, const char *name)
{
	if (!is_recursive || !(event->mask & IN_ISDIR))
		return true;
	if (event->mask & (IN_MOVED_FROM | IN_DELETE))
		remove_name(folder, name);
	if (event->mask & (IN_MOVED_TO | IN_CREATE))
		add_folder(folder, name);
	return scan_added(true);
}

/* Returns whether to go on. */
static bool handle(const struct inotify_event *event)
{
	struct folder *folder = find_watch(event->wd);
	const char *name = event->len > 0 ? event->name : "";

	if (!folder || event->wd <= 0)
		return true;
	if (event->mask & IN_IGNORED) {
		folder->watch = 0;
		return folder != folders;
	}
	/* The folder that has it tells as well. */
	if (!*name && folder != folders)
		return true;
	if (event->mask & CONTENT && !report(FILE_CHANGED, folder - folders, name))
		return false;
	if (event->mask & ANY & ~CONTENT && !report(FILE_RENAMED, folder - folders, name))
		return false;
	return follow(event, folder - folders, name);
}

static bool handle_events(void)
{
	static char events[EVENTS_SIZE] __attribute__((aligned(8)));
	ssize_t length = read(inotify, events, sizeof(events));

	for (ssize_t at = 0; at < length;) {
		const struct inotify_event *event = (void *)(events + at);

		if (!handle(event))
			return false;
		at += sizeof(*event) + event->len;
	}
	return length > 0;
}

const char *watch_file(const char *path, bool recursive, int first_process, int stream)
{
	root_path = path;
	is_recursive = recursive;
	output = stream;
	inotify = syscall(__NR_inotify_init1, O_CLOEXEC);
	folders[0].parent = NONE;
	folders[0].watch = inotify < 0 ? -1 : syscall(__NR_inotify_add_watch, inotify, path, ANY);
	if (folders[0].watch < 0)
		return error_reason(errno);
	if (recursive)
		scan_added(false);

	struct pollfd events[] = { { .fd = inotify, .events = POLLIN }, { .fd = first_process, .events = POLLIN } };

	do
		poll(events, 2, -1);
	while (!events[1].revents && (!events[0].revents || handle_events()));
	return NULL;
}

#include "console.h"
#include "path.h"

enum { MOST_LINKS = 40, OTHERS_WRITE = 022 };

#define FOREIGN_LINK "a link on its way can be changed by others than root: give the path without it"

/* The rest of the path, relative to the folder. */
struct walk {
	int folder;
	int links;
	char rest[PATH_MAX];
};

static void go_to(struct walk *w, int folder)
{
	close(w->folder);
	w->folder = folder;
}

static int open_below(int folder, const char *name)
{
	return syscall(__NR_openat, folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
}

static bool status_of(int fd, struct statx *status)
{
	return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, status) == 0;
}

/*
 * Whether only root can have put the link into the folder (like fs.protected_symlinks, but for all folders).
 */
static bool is_of_root(const struct statx *link, int folder)
{
	struct statx status;

	return link->stx_uid == 0 && status_of(folder, &status) && status.stx_uid == 0 &&
	       (!(status.stx_mode & OTHERS_WRITE) || status.stx_mode & S_ISVTX);
}

/* Prepends the link's target to the rest. */
static const char *follow(struct walk *w, int link)
{
	char target[PATH_MAX];
	ssize_t length = syscall(__NR_readlinkat, link, "", target, sizeof(target));
	size_t rest = strlen(w->rest);

	if (length < 0)
		return error_text(errno);
	if (++w->links > MOST_LINKS)
		return error_text(ELOOP);
	if (length + 1 + rest >= sizeof(w->rest))
		return error_text(ENAMETOOLONG);
	memmove(w->rest + length, w->rest, rest + 1);
	memcpy(w->rest, target, length);
	if (*target == '/')
		go_to(w, open("/", O_PATH | O_CLOEXEC));
	return NULL;
}

/* Takes the first name off the rest, which is then empty or begins with a slash. */
static const char *take_name(struct walk *w, char name[FILE_NAME_SIZE])
{
	size_t slashes = 0, length = 0;

	while (w->rest[slashes] == '/')
		slashes++;
	while (w->rest[slashes + length] && w->rest[slashes + length] != '/')
		length++;
	if (length == 0)
		return error_text(EISDIR);
	if (length >= FILE_NAME_SIZE)
		return error_text(ENAMETOOLONG);
	memcpy(name, w->rest + slashes, length);
	name[length] = 0;
	memmove(w->rest, w->rest + slashes + length, strlen(w->rest + slashes + length) + 1);
	return NULL;
}

/* Enters a folder, or follows a link, using the same file that was checked. */
static const char *enter(struct walk *w, int fd, const struct statx *status)
{
	if (S_ISDIR(status->stx_mode)) {
		go_to(w, fd);
		return NULL;
	}

	const char *problem = !S_ISLNK(status->stx_mode)	? error_text(ENOTDIR)
			      : !is_of_root(status, w->folder) ? FOREIGN_LINK
							       : follow(w, fd);
	close(fd);
	return problem;
}

/* Resolves one more name. Sets found if it is the file's own. */
static const char *step(struct walk *w, char name[FILE_NAME_SIZE], bool *found)
{
	const char *problem = take_name(w, name);
	struct statx status;

	if (problem)
		return problem;

	bool last = !*w->rest;
	int fd = open_below(w->folder, name);

	if (fd < 0) {
		*found = last && errno == ENOENT;
		return *found ? NULL : error_text(errno);
	}
	if (!status_of(fd, &status)) {
		close(fd);
		return error_text(errno);
	}
	*found = last && !S_ISDIR(status.stx_mode) && !S_ISLNK(status.stx_mode);
	if (!*found)
		return enter(w, fd, &status);
	close(fd);
	return NULL;
}

const char *path_resolve(const char *path, struct place *place)
{
	static struct walk w;
	const char *problem = NULL;
	bool found = false;

	w = (struct walk){ .folder = open("/", O_PATH | O_CLOEXEC) };
	if (strlcpy(w.rest, path, sizeof(w.rest)) >= sizeof(w.rest))
		return error_text(ENAMETOOLONG);
	while (!problem && !found)
		problem = step(&w, place->name, &found);
	place->folder = w.folder;
	return problem;
}

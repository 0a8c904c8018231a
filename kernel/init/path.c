#include "console.h"
#include "path.h"

enum { MOST_LINKS = 40, OTHERS_WRITE = 022 };

#define FOREIGN_LINK "EACCES: a link on its way can be changed by others than root: give the path without it"

/* The rest of the path, relative to the folder. */
struct walk {
	int folder;
	int links;
	/* Whether a link at the end of the path is the file itself. */
	bool keeps_last;
	/* Whether missing folders are made, with this mode. */
	bool makes;
	uint32_t mode;
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
		return error_reason(errno);
	if (++w->links > MOST_LINKS)
		return error_reason(ELOOP);
	if (length + 1 + rest >= sizeof(w->rest))
		return error_reason(ENAMETOOLONG);
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
		return error_reason(EISDIR);
	if (length >= FILE_NAME_SIZE)
		return error_reason(ENAMETOOLONG);
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

	const char *problem = !S_ISLNK(status->stx_mode)	? error_reason(ENOTDIR)
			      : !is_of_root(status, w->folder) ? FOREIGN_LINK
							       : follow(w, fd);
	close(fd);
	return problem;
}

/* Opens a folder that is missing on the way, after making it. */
static int make_below(int folder, const char *name, uint32_t mode)
{
	/* Another process may have made it meanwhile. */
	if (syscall(__NR_mkdirat, folder, name, mode) < 0 && errno != EEXIST)
		return -1;
	return open_below(folder, name);
}

/* Resolves one more name. Sets found if it is the file's own. */
static const char *step(struct walk *w, char name[FILE_NAME_SIZE], bool *found)
{
	const char *problem = take_name(w, name);
	struct statx status;

	if (problem)
		return problem;

	bool last = !*w->rest;

	if (last && w->keeps_last) {
		*found = true;
		return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? error_reason(EINVAL) : NULL;
	}

	int fd = open_below(w->folder, name);

	if (fd < 0 && errno == ENOENT && w->makes)
		fd = make_below(w->folder, name, w->mode);
	if (fd < 0) {
		*found = last && errno == ENOENT;
		return *found ? NULL : error_reason(errno);
	}
	if (!status_of(fd, &status)) {
		close(fd);
		return error_reason(errno);
	}
	*found = last && !S_ISDIR(status.stx_mode) && !S_ISLNK(status.stx_mode);
	if (!*found)
		return enter(w, fd, &status);
	close(fd);
	return NULL;
}

/* Starts a walk at the root. Slashes at the end of the path are left out unless they matter. */
static const char *begin(struct walk *w, const char *path)
{
	w->folder = open("/", O_PATH | O_CLOEXEC);
	if (strlcpy(w->rest, path, sizeof(w->rest)) >= sizeof(w->rest))
		return error_reason(ENAMETOOLONG);
	if (w->keeps_last || w->makes)
		for (size_t length = strlen(w->rest); length > 0 && w->rest[length - 1] == '/'; length--)
			w->rest[length - 1] = 0;
	return NULL;
}

static const char *resolve(struct walk *w, const char *path, struct place *place)
{
	const char *problem = begin(w, path);
	bool found = false;

	while (!problem && !found)
		problem = step(w, place->name, &found);
	place->folder = w->folder;
	return problem;
}

const char *path_resolve(const char *path, struct place *place)
{
	static struct walk w;

	return resolve(&w, path, place);
}

const char *path_resolve_name(const char *path, struct place *place)
{
	static struct walk w;

	w = (struct walk){ .keeps_last = true };
	return resolve(&w, path, place);
}

const char *path_make(const char *path, uint32_t mode)
{
	static struct walk w;
	char name[FILE_NAME_SIZE];
	bool found = false;

	w = (struct walk){ .makes = true, .mode = mode };

	const char *problem = begin(&w, path);

	while (!problem && *w.rest)
		problem = step(&w, name, &found);
	return problem ? problem : found ? error_reason(EEXIST) : NULL;
}

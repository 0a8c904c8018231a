#include "files.h"
#include "vsock.h"

/* As many as Linux follows on one path. */
enum { MOST_LINKS = 40 };

size_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t length = 0;
	ssize_t n;

	while (length < size && (n = read(fd, buffer + length, size - length)) > 0)
		length += n;
	close(fd);
	return length;
}

uint64_t read_figure(const char *path, const char *name, int base)
{
	char text[4096];
	size_t name_length = strlen(name);

	text[read_file(path, text, sizeof(text) - 1)] = 0;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_length) == 0 && strchr(" \t", line[name_length]))
			return strtoull(line + name_length, NULL, base);
	}
	return 0;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write_all(fd, text, strlen(text)) == 0;

	close(fd);
	return written;
}

static bool is_directory(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int make_path(const char *path, unsigned links);

/* Makes the directory that a link to nowhere names. */
static int make_target(const char *link, unsigned links)
{
	char path[2 * PATH_MAX], target[PATH_MAX];
	ssize_t length = syscall(__NR_readlinkat, AT_FDCWD, link, target, sizeof(target) - 1);

	if (length < 0)
		return -1;
	target[length] = 0;
	if (links == 0) {
		errno = ELOOP;
		return -1;
	}
	if (*target == '/')
		return make_path(target, links - 1);
	/* The caller has checked the length. */
	strlcpy(path, link, sizeof(path));
	strcpy(strrchr(path, '/') + 1, target);
	return make_path(path, links - 1);
}

/* Makes one directory, whose parent exists. The kernel's mkdir follows no link at the end of its path. */
static int make_directory(const char *path, unsigned links)
{
	if (mkdir(path, 0755) == 0 || is_directory(path))
		return 0;
	return errno == ENOENT ? make_target(path, links) : -1;
}

static int make_path(const char *path, unsigned links)
{
	char part[PATH_MAX];

	if (strlcpy(part, path, sizeof(part)) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (make_directory(part, links) < 0)
			return -1;
		*slash = '/';
	}
	return make_directory(part, links);
}

int make_directories(const char *path)
{
	return make_path(path, MOST_LINKS);
}

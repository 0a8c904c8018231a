#include "files.h"
#include "vsock.h"

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

uint64_t read_figure(const char *path, const char *name)
{
	char text[4096];
	size_t name_length = strlen(name);

	text[read_file(path, text, sizeof(text) - 1)] = 0;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_length) == 0 && line[name_length] == ' ')
			return strtoull(line + name_length, NULL, 10);
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

int make_directories(const char *path)
{
	char part[PATH_MAX];

	if (strlcpy(part, path, sizeof(part)) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(part, 0755);
		*slash = '/';
	}
	if (mkdir(part, 0755) == 0)
		return 0;

	/* A link to a directory is fine too. */
	int fd = open(part, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

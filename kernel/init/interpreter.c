#include <linux/elf.h>

#include "interpreter.h"

/* The kernel looks at so many bytes of a script, and follows as many interpreters. */
enum { SCRIPT_HEAD = 256, MOST_INTERPRETERS = 5 };

/* Returns the number of bytes, or -1. */
static ssize_t read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return syscall(__NR_pread64, fd, buffer, size, offset);
}

static bool exists(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT;
	close(fd);
	return true;
}

static bool read_script(int fd, char interpreter[PATH_MAX])
{
	char head[SCRIPT_HEAD + 1] = "";

	if (read_at(fd, head, SCRIPT_HEAD, 0) < 2 || strncmp(head, "#!", 2) != 0)
		return false;

	char *start = head + 2;

	while (*start == ' ' || *start == '\t')
		start++;

	char *end = start;

	while (*end && *end != ' ' && *end != '\t' && *end != '\n')
		end++;
	*end = 0;
	strlcpy(interpreter, start, PATH_MAX);
	return end > start;
}

static bool read_elf(int fd, char interpreter[PATH_MAX])
{
	Elf64_Ehdr file;
	Elf64_Phdr segment;

	if (read_at(fd, &file, sizeof(file), 0) != sizeof(file) || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	for (unsigned i = 0; i < file.e_phnum; i++) {
		if (read_at(fd, &segment, sizeof(segment), file.e_phoff + i * sizeof(segment)) != sizeof(segment))
			return false;
		if (segment.p_type != PT_INTERP)
			continue;
		if (segment.p_filesz == 0 || segment.p_filesz > PATH_MAX)
			return false;

		ssize_t length = read_at(fd, interpreter, segment.p_filesz, segment.p_offset);

		if (length <= 0)
			return false;
		interpreter[length - 1] = 0;
		return true;
	}
	return false;
}

static bool read_interpreter(const char *file, char interpreter[PATH_MAX])
{
	/* A program may be a device or a pipe. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool found = fd >= 0 && (read_script(fd, interpreter) || read_elf(fd, interpreter));

	if (fd >= 0)
		close(fd);
	return found;
}

bool find_missing_interpreter(const char *file, char missing[PATH_MAX])
{
	char current[PATH_MAX];

	if (strlcpy(current, file, sizeof(current)) >= sizeof(current))
		return false;
	for (int i = 0; i < MOST_INTERPRETERS; i++) {
		if (!read_interpreter(current, missing))
			return false;
		if (!exists(missing))
			return true;
		strcpy(current, missing);
	}
	return false;
}

/* Writes an entry of a tar archive with values that need extended headers, but not its content. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tar.h"

int write_all(int fd, const void *data, size_t length)
{
	return write(fd, data, length) == (ssize_t)length ? 0 : -1;
}

int main(int argc, char **argv)
{
	static char path[301];
	struct tar_entry entry = {
		.type = TAR_FILE,
		.path = memset(path, 'p', sizeof(path) - 1),
		.mode = 0640,
		.uid = 4000000000,
		.gid = 2097152,
		.size = argc > 1 ? strtoull(argv[1], NULL, 10) : 0,
		.modified = -2,
		.nanoseconds = 750000000,
	};

	path[150] = '/';
	tar_begin(STDOUT_FILENO);
	if (!tar_add_attribute("user.name", "a\0\n", 3) || !tar_write_entry(&entry))
		return 1;
	if (entry.size == 0) {
		entry = (struct tar_entry){ .type = TAR_LINK, .path = "link", .target = path, .modified = 1ll << 33 };
		if (!tar_write_entry(&entry))
			return 1;
	}
	return tar_end() ? 0 : 1;
}

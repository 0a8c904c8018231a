#include <asm/ioctls.h>

#include "console.h"
#include "program.h"
#include "vsock.h"

enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

#define CONSOLE_DEVICE "/dev/hvc0"
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Makes the console this new session's controlling terminal and standard streams. */
static bool open_console(void)
{
	int fd = open(CONSOLE_DEVICE, O_RDWR);

	/* 1: take it from a session that still holds it. */
	if (fd < 0 || ioctl(fd, TIOCSCTTY, (void *)1) < 0)
		return false;
	for (int standard = 0; standard <= STDERR_FILENO; standard++)
		dup2(fd, standard);
	if (fd > STDERR_FILENO)
		close(fd);
	return true;
}

/* Connects standard input, output and error each to a stream of its own to the host. */
static bool open_streams(uint32_t process_id)
{
	for (uint32_t standard = 0; standard <= STDERR_FILENO; standard++) {
		const uint32_t header[] = { process_id, standard };
		int fd = vsock_connect(STREAM_PORT);

		if (fd < 0 || write_all(fd, header, sizeof(header)) < 0)
			return false;
		dup2(fd, standard);
		close(fd);
	}
	return true;
}

static const char *path_of(char **environment)
{
	for (char **variable = environment; *variable; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			return *variable + 5;
	return DEFAULT_PATH;
}

/* Whether another folder of the path may still have the program. */
static bool keep_looking(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES;
}

/* Tries every folder of the path. Returns the error to report when none has the program. */
static int search_and_execute(char **arguments, char **environment)
{
	const char *folder = path_of(environment);
	size_t name_length = strlen(arguments[0]);
	int result = ENOENT;

	for (const char *end; folder; folder = end ? end + 1 : NULL) {
		char file[PATH_MAX];

		end = strchr(folder, ':');

		size_t length = end ? (size_t)(end - folder) : strlen(folder);

		if (length + 1 + name_length + 1 > sizeof(file))
			continue;
		memcpy(file, folder, length);
		/* An empty element is the working directory. */
		if (length > 0)
			file[length++] = '/';
		memcpy(file + length, arguments[0], name_length + 1);
		execve(file, arguments, environment);
		if (!keep_looking(errno))
			return errno;
		if (errno == EACCES)
			result = EACCES;
	}
	return result;
}

static int execute(char **arguments, char **environment)
{
	if (!*arguments[0])
		return ENOENT;
	if (!strchr(arguments[0], '/'))
		return search_and_execute(arguments, environment);
	execve(arguments[0], arguments, environment);
	return errno;
}

void program_execute(uint32_t process_id, uint8_t flags, struct message program)
{
	char **arguments = read_strings(&program);
	char **environment = arguments ? read_strings(&program) : NULL;
	char *directory = environment ? read_string(&program) : NULL;

	if (!directory || !arguments[0]) {
		say("malformed RUN message");
		exit(CANNOT_RUN);
	}
	syscall(__NR_setsid);
	if (!(flags & RUN_CONSOLE ? open_console() : open_streams(process_id))) {
		say("%s: no standard streams: error %d", arguments[0], errno);
		exit(CANNOT_RUN);
	}
	if (*directory && chdir(directory) < 0) {
		say("%s: no such working directory", directory);
		exit(CANNOT_RUN);
	}

	int error = execute(arguments, environment);

	if (error == ENOENT || error == ENOTDIR) {
		say("%s: not found", arguments[0]);
		exit(NOT_FOUND);
	}
	say("%s: cannot be run: error %d", arguments[0], error);
	exit(CANNOT_RUN);
}

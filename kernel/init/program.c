#include <asm/ioctls.h>

#include "console.h"
#include "files.h"
#include "interpreter.h"
#include "program.h"
#include "specification.h"
#include "vsock.h"

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

/* Connects standard input, output and error to separate streams to the host. */
static bool open_streams(void)
{
	for (unsigned standard = 0; standard <= STDERR_FILENO; standard++) {
		int fd = stream_open(standard);

		if (fd < 0)
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

/* Whether another folder of the path may contain the program. */
static bool keep_looking(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES;
}

/* The interpreter without which a program that is there could not be run, or empty. */
static char missing_interpreter[PATH_MAX];

/* Whether the program is for another processor. */
static bool emulated_program;

/* Returns only after a failure, with errno. */
static void execute(const char *file, char **arguments, char **environment)
{
	int error = ENOENT;
	char missing[PATH_MAX];

	/* An emulator opens the interpreter itself, and would end in its own way. */
	if (!emulated_program || !find_missing_interpreter(file, missing)) {
		execve(file, arguments, environment);
		error = errno;
	}
	if (error == ENOENT && find_missing_interpreter(file, missing))
		strcpy(missing_interpreter, missing);
	errno = error;
}

/* Tries every folder of the path. Returns the error to report if none contains the program. */
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
		execute(file, arguments, environment);
		if (!keep_looking(errno))
			return errno;
		if (errno == EACCES)
			result = EACCES;
	}
	return result;
}

void program_become(char **arguments, char **environment, bool emulated)
{
	emulated_program = emulated;
	if (!*arguments[0])
		errno = ENOENT;
	else if (!strchr(arguments[0], '/'))
		errno = search_and_execute(arguments, environment);
	else
		execute(arguments[0], arguments, environment);
}

/* Returns whether the name ended in the carriage return of a line end, which it removes. */
static bool remove_carriage_return(char *name)
{
	char *end = strchr(name, '\r');

	if (!end || end[1])
		return false;
	*end = 0;
	return true;
}

static void say_interpreter_is_missing(const char *name)
{
	bool windows = remove_carriage_return(missing_interpreter);

	make_printable(missing_interpreter);
	if (windows)
		say("%s: its lines end in CRLF, so its interpreter %s is not found: store it with the line ends of Unix (LF)",
		    name, missing_interpreter);
	else
		say("%s: its interpreter %s is not found", name, missing_interpreter);
}

int program_failure(const char *name)
{
	if (errno == ENOENT && *missing_interpreter) {
		say_interpreter_is_missing(name);
		return NOT_FOUND;
	}
	if (errno == ENOENT || errno == ENOTDIR) {
		say("%s: not found", name);
		return NOT_FOUND;
	}
	say("%s: cannot be run: %s", name, error_text(errno));
	return CANNOT_RUN;
}

void program_execute(struct message program)
{
	uint8_t flags = 0;
	char **arguments = read_u8(&program, &flags) ? read_strings(&program) : NULL;
	char **environment = arguments ? read_strings(&program) : NULL;
	char *directory = environment ? read_string(&program) : NULL;

	if (!directory || !arguments[0]) {
		say("malformed RUN message");
		exit(CANNOT_RUN);
	}
	syscall(__NR_setsid);
	write_file("/proc/self/oom_score_adj", "0");
	if (!(flags & RUN_CONSOLE ? open_console() : open_streams())) {
		say("%s: no standard streams: %s", arguments[0], error_text(errno));
		exit(CANNOT_RUN);
	}
	if (*directory && chdir(directory) < 0) {
		say("%s: no such working directory", directory);
		exit(CANNOT_RUN);
	}
	program_become(arguments, environment, false);
	exit(program_failure(arguments[0]));
}

#include <asm/ioctls.h>
#include <linux/resource.h>

#include "capabilities.h"
#include "console.h"
#include "files.h"
#include "launch.h"
#include "program.h"
#include "seccomp.h"
#include "user.h"

enum { OPEN_FILES = 1024, MOST_OPEN_FILES = 524288, TTY_GROUP = 5 };

/* The descriptors for messages and for the start after the program's own standard error is in place. */
enum { MESSAGES = STDERR_FILENO + 1, START, FIRST_UNUSED };

char *terminal_path(int number, char path[TERMINAL_PATH_SIZE])
{
	strcpy(path, "/dev/pts/");
	itoa_r(number, path + strlen(path));
	return path;
}

/* Makes the terminal the controlling terminal. Returns a descriptor, or -1 and errno. */
static int open_terminal(int number, const struct user *user)
{
	char path[TERMINAL_PATH_SIZE];
	int fd = open(terminal_path(number, path), O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		return -1;
	chown(path, user->uid, TTY_GROUP);
	return fd;
}

/* Returns whether the standard streams are in place. */
static bool connect(const struct streams *streams, const struct user *user)
{
	int terminal = streams->terminal < 0 ? -1 : open_terminal(streams->terminal, user);
	const int descriptors[] = { streams->input, streams->output, streams->error };

	if (streams->terminal >= 0 && terminal < 0)
		return false;
	for (int standard = 0; standard <= STDERR_FILENO; standard++) {
		int fd = terminal < 0 ? descriptors[standard] : terminal;

		/*
		 * Lets users who are not root open /dev/stdout, also after su. Only holders of the pipe reach
		 * it.
		 */
		if (terminal < 0) {
			syscall(__NR_fchown, fd, user->uid, user->gid);
			syscall(__NR_fchmod, fd, 0666);
		}
		dup2(fd, standard);
	}
	return true;
}

/* Returns the environment, with HOME added if it is missing. */
static char **complete_environment(char **environment, const char *home)
{
	static char variable[PATH_MAX + 8];
	unsigned count = 0;

	for (; environment[count]; count++)
		if (strncmp(environment[count], "HOME=", 5) == 0)
			return environment;

	char **complete = calloc(count + 2, sizeof(*complete));

	if (!complete)
		return environment;
	memcpy(complete, environment, count * sizeof(*complete));
	strcpy(variable, "HOME=");
	strlcat(variable, home, sizeof(variable));
	complete[count] = variable;
	return complete;
}

static void reset_process(void)
{
	static const struct rlimit files = { .rlim_cur = OPEN_FILES, .rlim_max = MOST_OPEN_FILES };
	static const uint64_t no_signals = 0;

	setsid();
	/* The OOM killer spares init's own processes, but not this one. */
	write_file("/proc/self/oom_score_adj", "0");
	setrlimit(RLIMIT_NOFILE, &files);
	syscall(__NR_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof(no_signals));
}

/* Switches back to the messages for the user. Keeps errno. */
static void return_to_messages(void)
{
	int error = errno;

	dup2(MESSAGES, STDERR_FILENO);
	errno = error;
}

static void enter_directory(const struct specification *s)
{
	if (chdir(s->directory) == 0)
		return;
	return_to_messages();
	say("the working directory %s: %s", s->directory, error_text(errno));
	exit(errno == EACCES ? CANNOT_RUN : s->failure);
}

/* A working directory in /proc/self/fd would lead out of the container by one of init's descriptors. */
static void close_others(int messages, int started)
{
	syscall(__NR_dup3, messages, MESSAGES, O_CLOEXEC);
	syscall(__NR_dup3, started, START, O_CLOEXEC);
	syscall(__NR_close_range, FIRST_UNUSED, ~0u, 0);
}

/* Keeps errno. */
static void mark_start(void)
{
	int error = errno;

	write(START, "", 1);
	errno = error;
}

void launch(const struct specification *s, const struct streams *streams)
{
	static struct user user;
	int messages = syscall(__NR_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_UNUSED);
	int started = syscall(__NR_fcntl, streams->started, F_DUPFD_CLOEXEC, FIRST_UNUSED);

	reset_process();
	if (!find_user(s->user, &user))
		exit(s->failure);
	if (!connect(streams, &user)) {
		say("cannot open the terminal: %s", error_text(errno));
		exit(s->failure);
	}
	close_others(messages, started);
	enter_directory(s);
	bound_capabilities();
	/* Done before the switch to the user, who may have no right to do it. */
	if (filter_system_calls(s->emulated) < 0) {
		return_to_messages();
		say("cannot restrict system calls: %s", error_text(errno));
		exit(s->failure);
	}
	if (become_user(&user) < 0) {
		return_to_messages();
		say("cannot become the user: %s", error_text(errno));
		exit(s->failure);
	}
	mark_start();
	program_become(s->arguments, complete_environment(s->environment, user.home), s->emulated);
	mark_start();
	return_to_messages();
	exit(program_failure(s->arguments[0]));
}

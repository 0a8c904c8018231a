#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/signalfd.h>

#include "cgroup.h"
#include "console.h"
#include "fatal.h"
#include "files.h"
#include "reaper.h"
#include "relay.h"
#include "starts.h"
#include "supervisor.h"
#include "vsock.h"

enum { MESSAGES = 3 };

void supervisor_fail(const char *what, int status)
{
	say("%s: %s", what, error_text(errno));
	exit(status);
}

/* The streams that a process has, as a set of bits. */
static unsigned streams_of(const struct specification *what)
{
	const unsigned terminal = 1 << STDIN_FILENO | 1 << STDOUT_FILENO;

	return 1 << MESSAGES | (!what ? 0 : what->flags & WITH_TERMINAL ? terminal : terminal | 1 << STDERR_FILENO);
}

void supervisor_begin(struct supervisor *s, const struct specification *what)
{
	/* init ends all processes with SIGTERM, then SIGKILL. The supervised process must end first. */
	static const uint64_t all_signals = ~0ul;

	streams_connect(streams_of(what));

	int messages = stream_open(MESSAGES);

	s->master = s->slave = s->group = s->disk_errors = s->fatal_signals = -1;
	for (int i = 0; i < MOST_RELAYS; i++)
		s->relays[i].from = s->relays[i].to = -1;
	if (messages >= 0) {
		dup2(messages, STDERR_FILENO);
		close(messages);
	}
	syscall(__NR_rt_sigprocmask, SIG_SETMASK, &all_signals, NULL, sizeof(all_signals));
}

/* Relays between the host and a pipe. Returns the pipe's other end, or -1. */
static int open_pipe(struct supervisor *s, int descriptor)
{
	int ends[2], stream = stream_open(descriptor);
	struct relay *relay = &s->relays[descriptor];

	if (stream < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (descriptor == STDIN_FILENO) {
		relay_begin(relay, stream, ends[1]);
		return ends[0];
	}
	relay_begin(relay, ends[0], stream);
	return ends[1];
}

static void resize(const struct supervisor *s, uint32_t columns, uint32_t rows)
{
	struct winsize size = { .ws_col = columns, .ws_row = rows };

	ioctl(s->master, TIOCSWINSZ, &size);
}

/* Lets Backspace remove a whole character from the line that is being typed, instead of its last byte. */
static void expect_utf8(int terminal)
{
	struct termios settings;

	if (ioctl(terminal, TCGETS, &settings) < 0)
		return;
	settings.c_iflag |= IUTF8;
	ioctl(terminal, TCSETS, &settings);
}

/* Returns the new terminal's number, or -1. */
static int open_terminal(struct supervisor *s, const char *ptmx)
{
	int unlocked = 0, number;

	s->master = open(ptmx, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->master < 0 || ioctl(s->master, TIOCSPTLCK, &unlocked) < 0 ||
	    ioctl(s->master, TIOCGPTN, &number) < 0)
		return -1;
	/* It stays open until the process has ended, so that the relay does not end earlier. */
	s->slave = ioctl(s->master, TIOCGPTPEER, (void *)(O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (s->slave < 0)
		return -1;
	expect_utf8(s->slave);
	return number;
}

static int duplicate(int fd)
{
	return syscall(__NR_fcntl, fd, F_DUPFD_CLOEXEC, 0);
}

/* Returns the terminal's number, or -1. */
static int relay_terminal(struct supervisor *s, const struct specification *what, const char *ptmx)
{
	int number = open_terminal(s, ptmx);

	if (number < 0)
		return -1;

	int input = stream_open(STDIN_FILENO), output = stream_open(STDOUT_FILENO);

	if (input < 0 || output < 0)
		return -1;
	resize(s, what->columns, what->rows);
	relay_begin(&s->relays[STDIN_FILENO], input, duplicate(s->master));
	relay_begin(&s->relays[STDOUT_FILENO], duplicate(s->master), output);
	return number;
}

static void __attribute__((noreturn)) fail_terminal(int status)
{
	if (errno != ENOSPC)
		supervisor_fail("no terminal", status);
	say("no terminal: all that the container may have are in use");
	exit(status);
}

struct streams supervisor_open_streams(struct supervisor *s, const struct specification *what, const char *ptmx)
{
	struct streams streams = { .terminal = -1, .input = -1, .output = -1, .error = -1 };
	int started[2];

	if (what->flags & WITH_TERMINAL) {
		streams.terminal = relay_terminal(s, what, ptmx);
		if (streams.terminal < 0)
			fail_terminal(what->failure);
	} else {
		streams.input = open_pipe(s, STDIN_FILENO);
		streams.output = open_pipe(s, STDOUT_FILENO);
		streams.error = open_pipe(s, STDERR_FILENO);
		if (streams.input < 0 || streams.output < 0 || streams.error < 0)
			supervisor_fail("no standard streams", what->failure);
	}
	if (pipe2(started, O_CLOEXEC) < 0)
		supervisor_fail("no standard streams", what->failure);
	s->started = started[0];
	streams.started = started[1];
	return streams;
}

pid_t supervisor_clone(struct supervisor *s, struct clone_args *clone, const struct streams *streams)
{
	s->is_first = clone->flags & CLONE_NEWPID;
	clone->flags |= CLONE_INTO_CGROUP;
	clone->cgroup = s->group;
	clone->exit_signal = SIGCHLD;
	s->pid = syscall(__NR_clone3, clone, sizeof(*clone));
	close(s->pid > 0 ? streams->started : s->started);
	if (s->pid > 0 && streams->terminal < 0) {
		close(streams->input);
		close(streams->output);
		close(streams->error);
	}
	return s->pid;
}

/* Returns whether the leader of the terminal's session handles the signal. */
static bool leader_handles(const struct supervisor *s, uint32_t signal)
{
	char path[32] = "/proc/";
	pid_t leader;

	if (signal < 1 || signal > _NSIG || ioctl(s->master, TIOCGSID, &leader) < 0)
		return false;
	itoa_r(leader, path + strlen(path));
	strlcat(path, "/status", sizeof(path));
	return read_figure(path, "SigCgt:", 16) >> (signal - 1) & 1;
}

/* The kernel sends SIGHUP to the session's leader only, which may be a PID 1 that does not get it. */
static void hang_up(const struct supervisor *s)
{
	pid_t foreground;

	if (ioctl(s->master, TIOCGPGRP, &foreground) == 0 && foreground > 1) {
		kill(-foreground, SIGHUP);
		kill(-foreground, SIGCONT);
	}
	ioctl(s->slave, TIOCVHANGUP, 0);
}

/* Interactive shells ignore SIGTERM, but end when their terminal does. */
static void stop(const struct supervisor *s, uint32_t signal)
{
	if (s->is_first && s->master >= 0 && !leader_handles(s, signal))
		hang_up(s);
	kill(s->pid, signal);
}

static void obey(const struct supervisor *s, int commands)
{
	struct command command;

	while (read(commands, &command, sizeof(command)) == sizeof(command)) {
		if (command.type == SIGNAL)
			kill(s->pid, command.signal);
		else if (command.type == STOP)
			stop(s, command.signal);
		else if (command.type == KILL)
			cgroup_kill(s->group);
		else
			resize(s, command.columns, command.rows);
	}
}

/* Once the pipe has ended: reports the start, unless the program could not run. Does that once. */
static void report_start(struct supervisor *s)
{
	char marks[2];

	if (s->started < 0)
		return;
	if (read(s->started, marks, sizeof(marks)) == 1)
		starts_report();
	close(s->started);
	s->started = -1;
}

/* The first error is enough. */
static void report_disk_error(struct supervisor *s)
{
	say("the container's disk has an error, and is read-only from now on");
	close(s->disk_errors);
	s->disk_errors = -1;
}

/* Returns whether the process has ended. */
static bool has_ended(const struct supervisor *s, int children, int *status)
{
	struct signalfd_siginfo ended;

	while (read(children, &ended, sizeof(ended)) > 0)
		;
	return waitpid(s->pid, status, WNOHANG) != 0;
}

/* Relays streams and obeys commands until the process has ended. Returns its wait status. */
static int wait_for_end(struct supervisor *s, int commands, int children)
{
	enum { STARTED_PIPE = MOST_RELAYS, CHILDREN, COMMANDS, DISK, FATAL, EVENTS };
	struct pollfd events[EVENTS];
	int status = 0;

	for (;;) {
		for (int i = 0; i < MOST_RELAYS; i++)
			events[i] = relay_event(&s->relays[i]);
		/* The end of a pipe is always an event. */
		events[STARTED_PIPE] = (struct pollfd){ .fd = s->started };
		events[CHILDREN] = (struct pollfd){ .fd = children, .events = POLLIN };
		events[COMMANDS] = (struct pollfd){ .fd = commands, .events = POLLIN };
		events[DISK] = (struct pollfd){ .fd = s->disk_errors, .events = POLLIN };
		events[FATAL] = (struct pollfd){ .fd = s->fatal_signals, .events = POLLIN };
		poll(events, EVENTS, -1);
		for (int i = 0; i < MOST_RELAYS; i++)
			if (events[i].revents)
				relay_copy(&s->relays[i]);
		if (events[STARTED_PIPE].revents)
			report_start(s);
		if (events[DISK].revents)
			report_disk_error(s);
		if (events[FATAL].revents & POLLIN && s->fatal_signal == 0)
			s->fatal_signal = end_by_fatal_signal(s->fatal_signals, s->pid);
		if (events[CHILDREN].revents && has_ended(s, children, &status))
			break;
		if (events[COMMANDS].revents)
			obey(s, commands);
	}
	/* The program may have ended before the pipe was looked at. */
	report_start(s);
	/* A wait status has the signal in its lowest bits. */
	return s->fatal_signal ? s->fatal_signal : status;
}

int supervisor_wait(struct supervisor *s, int commands, int children)
{
	int status = wait_for_end(s, commands, children);

	close(s->slave);
	relay_end(&s->relays[STDIN_FILENO]);
	relays_drain(s->relays, MOST_RELAYS);
	/* Descendants may hold the output. */
	relays_leave(s->relays, MOST_RELAYS);
	return exit_status(status);
}

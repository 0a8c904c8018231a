#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/signalfd.h>

#include "cgroup.h"
#include "console.h"
#include "container.h"
#include "disks.h"
#include "files.h"
#include "inside.h"
#include "relay.h"
#include "vsock.h"

enum { NO_CONTAINER = 125, MESSAGES = 3, OUTPUTS = 2 };

/* What a supervisor has to look after. */
struct container {
	uint32_t id;
	pid_t pid;
	/* The terminal's two ends, or -1. */
	int master, slave;
	pid_t input, outputs[OUTPUTS];
};

static void __attribute__((noreturn)) fail(const char *what)
{
	say("%s: %s", what, error_text(errno));
	exit(NO_CONTAINER);
}

/* Passes what comes from the host into a pipe. Returns its other end. */
static int relay_input(struct container *c)
{
	int ends[2], stream = stream_open(c->id, STDIN_FILENO);

	if (stream < 0 || pipe2(ends, O_CLOEXEC) < 0 || (c->input = relay(stream, ends[1])) < 0)
		fail("no standard input");
	close(stream);
	close(ends[1]);
	return ends[0];
}

static int relay_output(struct container *c, int descriptor)
{
	int ends[2], stream = stream_open(c->id, descriptor);
	pid_t *output = &c->outputs[descriptor - STDOUT_FILENO];

	if (stream < 0 || pipe2(ends, O_CLOEXEC) < 0 || (*output = relay(ends[0], stream)) < 0)
		fail("no standard output");
	close(stream);
	close(ends[0]);
	return ends[1];
}

static void resize(const struct container *c, uint32_t columns, uint32_t rows)
{
	struct winsize size = { .ws_col = columns, .ws_row = rows };

	ioctl(c->master, TIOCSWINSZ, &size);
}

/* Returns the terminal's number. The slave stays open until the container has ended, lest the relay does. */
static int relay_terminal(struct container *c, const struct specification *s)
{
	int unlocked = 0, number;
	int input = stream_open(c->id, STDIN_FILENO), output = stream_open(c->id, STDOUT_FILENO);

	c->master = open(CONTAINER_TERMINALS "/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (input < 0 || output < 0 || c->master < 0 || ioctl(c->master, TIOCSPTLCK, &unlocked) < 0 ||
	    ioctl(c->master, TIOCGPTN, &number) < 0)
		fail("no terminal");
	c->slave = ioctl(c->master, TIOCGPTPEER, (void *)(O_RDWR | O_NOCTTY | O_CLOEXEC));
	resize(c, s->columns, s->rows);
	c->input = relay(input, c->master);
	c->outputs[0] = relay(c->master, output);
	if (c->slave < 0 || c->input < 0 || c->outputs[0] < 0)
		fail("no terminal");
	close(input);
	close(output);
	return number;
}

static struct streams open_streams(struct container *c, const struct specification *s)
{
	if (s->flags & CONTAINER_TERMINAL)
		return (struct streams){ .terminal = relay_terminal(c, s) };
	return (struct streams){
		.terminal = -1,
		.input = relay_input(c),
		.output = relay_output(c, STDOUT_FILENO),
		.error = relay_output(c, STDERR_FILENO),
	};
}

static void close_streams(const struct streams *streams)
{
	if (streams->terminal >= 0)
		return;
	close(streams->input);
	close(streams->output);
	close(streams->error);
}

/* Starts the first process of the container, in namespaces and a control group of its own. */
static void start(struct container *c, const struct specification *s, const struct streams *streams)
{
	int cgroup = cgroup_create(c->id);
	struct clone_args clone = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup,
	};

	if (cgroup < 0)
		fail("no control group");
	c->pid = syscall(__NR_clone3, &clone, sizeof(clone));
	if (c->pid < 0)
		fail("no container");
	if (c->pid == 0)
		container_enter(s, streams);
	close(cgroup);
}

static void obey(const struct container *c, int commands)
{
	struct command command;

	while (read(commands, &command, sizeof(command)) == sizeof(command)) {
		if (command.type == SIGNAL)
			kill(c->pid, command.signal);
		else
			resize(c, command.columns, command.rows);
	}
}

/* Obeys commands until the first process has ended, which ends all others. Returns its wait status. */
static int wait_for_end(const struct container *c, int commands, int children)
{
	struct pollfd events[] = {
		{ .fd = commands, .events = POLLIN },
		{ .fd = children, .events = POLLIN },
	};
	struct signalfd_siginfo ended;
	int status;

	while (waitpid(c->pid, &status, WNOHANG) == 0) {
		poll(events, 2, -1);
		while (read(children, &ended, sizeof(ended)) > 0)
			;
		obey(c, commands);
	}
	return status;
}

/* Waits until the host has been given all output; input that nobody took is dropped. */
static void drain(const struct container *c)
{
	close(c->slave);
	kill(c->input, SIGKILL);
	for (int i = 0; i < OUTPUTS; i++)
		if (c->outputs[i] > 0)
			waitpid(c->outputs[i], NULL, 0);
}

static void report_memory(uint32_t id)
{
	unsigned kills = cgroup_memory_kills(id);

	if (kills > 0)
		say("the machine ran out of memory: %u process%s killed", kills, kills > 1 ? "es were" : " was");
}

void container_supervise(uint32_t id, struct message message, int commands, int children)
{
	/* init ends everything with SIGTERM, then SIGKILL: the container is to go first. */
	static const uint64_t all_signals = ~0ul;
	struct container c = { .id = id, .master = -1, .slave = -1 };
	struct specification s;
	int messages = stream_open(id, MESSAGES);

	if (messages >= 0) {
		dup2(messages, STDERR_FILENO);
		close(messages);
	}
	syscall(__NR_rt_sigprocmask, SIG_SETMASK, &all_signals, NULL, sizeof(all_signals));
	if (!read_specification(&message, &s)) {
		say("malformed CONTAINER message");
		exit(NO_CONTAINER);
	}
	if (syscall(__NR_unshare, CLONE_NEWNS) < 0)
		fail("no mount namespace");
	if (!mount_disks())
		exit(NO_CONTAINER);

	struct streams streams = open_streams(&c, &s);

	start(&c, &s, &streams);
	close_streams(&streams);

	int status = wait_for_end(&c, commands, children);

	report_memory(id);
	drain(&c);
	cgroup_remove(id);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

#include "console.h"
#include "container.h"
#include "control.h"
#include "process.h"
#include "program.h"

#include <linux/signal.h>
#include <linux/signalfd.h>

enum { MAX_PROCESSES = 256, EXIT_NOT_STARTED = 126, GRACE_MILLISECONDS = 2000 };

/* A free entry has pid 0. */
static struct process {
	uint32_t id;
	pid_t pid;
	/* The pipe to a container's supervisor, or -1. */
	int commands;
} processes[MAX_PROCESSES];

static const sigset_t child_signal = { .sig = { 1ul << (SIGCHLD - 1) } };
static int children = -1;

static void mask_child_signal(int how)
{
	syscall(__NR_rt_sigprocmask, how, &child_signal, NULL, sizeof(child_signal));
}

int child_events(void)
{
	mask_child_signal(SIG_BLOCK);
	children = syscall(__NR_signalfd4, -1, &child_signal, sizeof(child_signal), SFD_CLOEXEC | SFD_NONBLOCK);
	return children;
}

static struct process *find_id(uint32_t id)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid && p->id == id)
			return p;
	return NULL;
}

static struct process *find_pid(pid_t pid)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid == pid)
			return p;
	return NULL;
}

static pid_t start_program(uint32_t id, struct message program)
{
	pid_t pid = fork();

	if (pid == 0) {
		mask_child_signal(SIG_UNBLOCK);
		program_execute(id, program);
	}
	return pid;
}

static pid_t start_container(uint32_t id, struct message specification, int *commands)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;

	pid_t pid = fork();

	if (pid == 0) {
		close(ends[1]);
		container_supervise(id, specification, ends[0], children);
	}
	close(ends[0]);
	if (pid < 0)
		close(ends[1]);
	else
		*commands = ends[1];
	return pid;
}

static void start(struct process *p, enum message_type type, uint32_t id, struct message m)
{
	int commands = -1;
	pid_t pid = type == CONTAINER ? start_container(id, m, &commands) : start_program(id, m);

	if (pid < 0) {
		say("cannot start a process: %s", error_text(errno));
		control_send_exit(id, EXIT_NOT_STARTED);
		return;
	}
	*p = (struct process){ .id = id, .pid = pid, .commands = commands };
}

void process_run(enum message_type type, struct message m)
{
	uint32_t id;

	if (!read_u32(&m, &id)) {
		say("malformed RUN message");
		return;
	}
	if (find_id(id)) {
		say("process %u runs already", id);
		return;
	}

	struct process *free_entry = find_pid(0);

	if (free_entry) {
		start(free_entry, type, id, m);
	} else {
		say("more than %d processes", MAX_PROCESSES);
		control_send_exit(id, EXIT_NOT_STARTED);
	}
}

/* A supervisor that reads its commands no more has ended, or is about to. */
static void command(struct process *p, struct command c)
{
	write(p->commands, &c, sizeof(c));
}

void process_signal(struct message m)
{
	uint32_t id, signal;

	if (!read_u32(&m, &id) || !read_u32(&m, &signal)) {
		say("malformed SIGNAL message");
		return;
	}

	struct process *p = find_id(id);

	/* No such process: it has ended, and EXIT is on its way. */
	if (!p)
		return;
	if (p->commands >= 0)
		command(p, (struct command){ .type = SIGNAL, .signal = signal });
	else if (kill(p->pid, signal) < 0)
		say("cannot send signal %u: %s", signal, error_text(errno));
}

void process_resize(struct message m)
{
	uint32_t id, columns, rows;

	if (!read_u32(&m, &id) || !read_u32(&m, &columns) || !read_u32(&m, &rows)) {
		say("malformed RESIZE message");
		return;
	}

	struct process *p = find_id(id);

	if (p && p->commands >= 0)
		command(p, (struct command){ .type = RESIZE, .columns = columns, .rows = rows });
}

void process_reap(void)
{
	struct signalfd_siginfo events[8];
	pid_t pid;
	int status;

	/* One event may stand for many children. */
	while (read(children, events, sizeof(events)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct process *p = find_pid(pid);

		if (!p)
			continue;
		p->pid = 0;
		if (p->commands >= 0)
			close(p->commands);
		control_send_exit(p->id, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

/* Returns whether no child is left before the time is over. */
static bool wait_for_all(int milliseconds)
{
	struct pollfd event = { .fd = children, .events = POLLIN };
	const int step = 50;

	for (int waited = 0; waited < milliseconds; waited += step) {
		process_reap();
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return true;
		poll(&event, 1, step);
	}
	return false;
}

void process_end_all(void)
{
	kill(-1, SIGTERM);
	if (wait_for_all(GRACE_MILLISECONDS))
		return;
	kill(-1, SIGKILL);
	wait_for_all(GRACE_MILLISECONDS);
}

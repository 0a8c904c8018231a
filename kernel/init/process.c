#include "cgroup.h"
#include "console.h"
#include "container.h"
#include "control.h"
#include "exec.h"
#include "forward.h"
#include "inside.h"
#include "parts.h"
#include "process.h"
#include "program.h"
#include "reaper.h"
#include "specification.h"
#include "starts.h"
#include "supervisor.h"
#include "transfer.h"
#include "vsock.h"

#include <linux/signal.h>
#include <linux/signalfd.h>

enum { MAX_PROCESSES = 256, GRACE_MILLISECONDS = 2000 };

/* A free entry has pid 0. */
static struct process {
	uint32_t id;
	pid_t pid;
	/* The message that has started it. */
	enum message_type type;
	/* The pipe to the supervisor of a container's process, or -1. */
	int commands;
	/* Its container. The supervisor is -1 unless this is the first process. */
	struct container container;
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

static bool is_running(uint32_t id)
{
	return find_id(id) != NULL;
}

static struct process *find_pid(pid_t pid)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid == pid)
			return p;
	return NULL;
}

static struct process *find_container(const char *name)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid && p->container.supervisor >= 0 && strcmp(p->container.name, name) == 0)
			return p;
	return NULL;
}

static struct container find_or_none(const char *name)
{
	const struct process *p = find_container(name);

	return p ? p->container : (struct container){ .supervisor = -1 };
}

/* In the child: does the work of the message. The descriptors are its ends of the pipes. */
static void __attribute__((noreturn)) become(enum message_type type, uint32_t id, const char *name,
					     const char *group, struct message m, int commands, int ready)
{
	const struct container container = find_or_none(name);

	switch (type) {
	case CONTAINER:
		container_supervise(group, m, ready, commands, children);
	case EXEC:
		exec_supervise(id, m, &container, commands, children);
	case READ_FILE:
	case WRITE_FILE:
	case LIST_FOLDER:
	case STAT_FILE:
	case MAKE_FOLDER:
	case REMOVE_FILE:
	case RENAME_FILE:
	case WATCH_FILE:
	case EXPORT:
		serve_file_request(type, m, &container);
	case FORWARD:
		forward(&container, NULL);
	case CHANNEL:
		forward(&container, read_string(&m));
	default:
		mask_child_signal(SIG_UNBLOCK);
		program_execute(m);
	}
}

/* Opens a pipe if it is wanted. Otherwise the ends are -1. Returns whether that worked. */
static bool open_pipe(int ends[2], bool wanted)
{
	ends[0] = ends[1] = -1;
	return !wanted || pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

static void close_pipes(const struct process *p)
{
	const int descriptors[] = { p->commands, p->container.ready, p->container.supervisor };

	for (int i = 0; i < 3; i++)
		if (descriptors[i] >= 0)
			close(descriptors[i]);
}

/* Answers a request that has no process to report the reason. */
static void refuse(enum message_type type, uint32_t id, const char *reason)
{
	control_send_exit(id, type == CONTAINER ? NO_CONTAINER : CANNOT_RUN, reason);
}

/* The control group of a process's container. A new one takes what was made in advance. */
static const char *group_of(enum message_type type, const char *name)
{
	const struct process *p = find_container(name);

	return p ? p->container.group : type == CONTAINER && parts_are_prepared() ? PREPARED_GROUP : name;
}

/* Starts the process. The name is that of its container, or empty. */
static void start(struct process *p, enum message_type type, uint32_t id, const char *name, struct message m)
{
	int commands[2], ready[2];
	bool opened = open_pipe(commands, type == CONTAINER || type == EXEC) & open_pipe(ready, type == CONTAINER);
	pid_t pid = opened ? fork() : -1;
	int error = errno;
	struct process started = {
		.id = id,
		.pid = pid,
		.type = type,
		.commands = commands[1],
		.container = { .ready = ready[0], .supervisor = -1 },
	};

	strlcpy(started.container.name, name, NAME_SIZE);
	strlcpy(started.container.group, group_of(type, name), NAME_SIZE);
	if (pid == 0) {
		close_pipes(&started);
		become(type, id, name, started.container.group, m, commands[0], ready[1]);
	}
	close(commands[0]);
	close(ready[1]);
	if (pid < 0) {
		char reason[64] = "cannot start a process: ";

		strlcat(reason, error_text(error), sizeof(reason));
		close_pipes(&started);
		refuse(type, id, reason);
		return;
	}
	if (type == CONTAINER)
		started.container.supervisor = syscall(__NR_pidfd_open, pid, 0);
	if (type == CONTAINER)
		parts_forget();
	*p = started;
}

/* Thaws a container after an EXPORT, which may have been killed, unless another one needs it frozen. */
static void thaw(const struct process *ended)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid && p->type == EXPORT && strcmp(p->container.name, ended->container.name) == 0)
			return;
	cgroup_freeze(ended->container.group, false);
}

/* Returns the reason why there can be no container with this name, or NULL. */
static const char *check_name(const char *name)
{
	if (strlen(name) >= NAME_SIZE)
		return "the container's name is too long";
	for (const char *c = name; *c; c++)
		if (!isalnum(*c) && !strchr("_-", *c))
			return "a container's name is letters, digits, _ and -";
	if (find_container(name))
		return "a container of that name runs already";
	return *name ? NULL : "the container has no name";
}

void process_run(enum message_type type, struct message m)
{
	uint32_t id;

	if (!read_u32(&m, &id)) {
		say("malformed message about a process");
		return;
	}
	if (find_id(id)) {
		say("process %u runs already", id);
		return;
	}

	const uint8_t *tokens = read_tokens(&m);
	const char *name = type == RUN ? "" : tokens ? read_string(&m) : NULL;
	const char *problem = !tokens || !name ? "malformed message" : type == CONTAINER ? check_name(name) : NULL;
	struct process *free_entry = find_pid(0);

	if (!problem && !free_entry)
		problem = "too many processes";
	if (problem) {
		refuse(type, id, problem);
		return;
	}
	streams_use(tokens);
	start(free_entry, type, id, name, m);
}

/* A supervisor that no longer reads its commands has ended, or is about to end. */
static void command(struct process *p, struct command c)
{
	write(p->commands, &c, sizeof(c));
}

void process_signal(enum message_type type, struct message m)
{
	uint32_t id, signal;

	if (!read_u32(&m, &id) || !read_u32(&m, &signal)) {
		say("malformed message about a signal");
		return;
	}

	struct process *p = find_id(id);

	/* The process has ended, and EXIT is on its way. */
	if (!p)
		return;
	if (p->commands >= 0)
		command(p, (struct command){ .type = type, .signal = signal });
	else if (kill(p->pid, signal) < 0)
		say("cannot send signal %u: %s", signal, error_text(errno));
}

void process_kill(struct message m)
{
	uint32_t id;
	const char *name = read_u32(&m, &id) ? read_string(&m) : NULL;
	const struct process *container = name ? find_container(name) : NULL;

	if (!container)
		return;

	struct process *p = find_id(id);
	int group = cgroup_open_further(container->container.group, id);

	cgroup_kill(group);
	close(group);
	/* Its supervisor may not have started it yet. */
	if (p && p->commands >= 0)
		command(p, (struct command){ .type = KILL });
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

void process_change_network(void)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid && p->container.supervisor >= 0 && fork() == 0)
			container_change_network(&p->container);
}

void process_measure(struct message m)
{
	const char *name = read_string(&m);
	const struct process *p = name ? find_container(name) : NULL;

	control_send_usage(usage_measure(p ? p->pid : 0));
}

void process_pass_starts(void)
{
	pid_t supervisor;

	while ((supervisor = starts_read()) > 0) {
		const struct process *p = find_pid(supervisor);

		if (p)
			control_send_started(p->id);
	}
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
		struct process *p;

		/* A supervisor reports the start before it ends, but perhaps after the last look. */
		process_pass_starts();
		p = find_pid(pid);
		if (!p)
			continue;
		p->pid = 0;
		close_pipes(p);
		if (p->type == EXPORT && *p->container.name)
			thaw(p);
		control_send_exit(p->id, exit_status(status), "");
		if (p->commands >= 0 && p->container.supervisor < 0)
			cgroup_remove_further(p->container.group, p->id, is_running);
	}
}

void process_prepare(void)
{
	for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
		if (p->pid && p->container.supervisor >= 0)
			return;
	parts_prepare();
}

/* Returns whether all children have ended before the time is over. */
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

#include <linux/sched.h>

#include "cgroup.h"
#include "console.h"
#include "emulate.h"
#include "exec.h"
#include "supervisor.h"

static void __attribute__((noreturn)) fail(const char *what)
{
	if (errno == ESRCH)
		say("the container has ended");
	else if (errno == EAGAIN)
		say("the container has as many processes as it may have");
	else
		say("%s: %s", what, error_text(errno));
	exit(CANNOT_RUN);
}

/* Joins the container's mount namespace, which has its terminals. */
static struct streams open_streams(struct supervisor *supervisor, const struct specification *s, int first)
{
	if (syscall(__NR_setns, first, CLONE_NEWNS) < 0)
		fail("cannot join the container");
	return supervisor_open_streams(supervisor, s, "/dev/pts/ptmx");
}

static void start(struct supervisor *supervisor, const struct specification *s, const struct streams *streams,
		  int first)
{
	struct clone_args clone = { 0 };

	/* Only children of this process will be in that namespace. */
	if (syscall(__NR_setns, first, CLONE_NEWPID) < 0)
		fail("cannot join the container");

	pid_t pid = supervisor_clone(supervisor, &clone, streams);

	if (pid < 0)
		fail("cannot start a process in the container");
	if (pid > 0)
		return;
	if (syscall(__NR_setns, first, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0 ||
	    syscall(__NR_unshare, CLONE_NEWCGROUP) < 0)
		fail("cannot join the container");
	launch(s, streams);
}

void exec_supervise(uint32_t id, struct message message, const struct container *container, int commands,
		    int children)
{
	static struct supervisor supervisor;
	struct specification s;

	bool well_formed = read_exec(&message, &s);

	supervisor_begin(&supervisor, well_formed ? &s : NULL);
	if (!well_formed) {
		say("malformed EXEC message");
		exit(CANNOT_RUN);
	}

	int first = container_join(container);

	if (first < 0) {
		say("the container does not run");
		exit(CANNOT_RUN);
	}

	supervisor.group = cgroup_create_further(container->group, id);
	/* Its group is gone when the container has ended meanwhile. */
	if (supervisor.group < 0 && errno == ENOENT)
		errno = ESRCH;
	if (supervisor.group < 0)
		fail("no control group");
	s.emulated = is_emulated(container->supervisor);

	struct streams streams = open_streams(&supervisor, &s, first);

	start(&supervisor, &s, &streams, first);
	close(first);
	exit(supervisor_wait(&supervisor, commands, children));
}

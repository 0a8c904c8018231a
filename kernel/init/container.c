#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "cgroup.h"
#include "console.h"
#include "container.h"
#include "disks.h"
#include "emulate.h"
#include "fatal.h"
#include "inside.h"
#include "network.h"
#include "parts.h"
#include "supervisor.h"

static void __attribute__((noreturn)) fail(const char *what)
{
	supervisor_fail(what, NO_CONTAINER);
}

/* Starts the container's first process in new namespaces and a new control group. */
static void start(struct supervisor *supervisor, const char *group, const struct specification *s,
		  const struct streams *streams, const struct parts *parts)
{
	int network_source = network_open_source(), first;
	struct clone_args clone = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_PIDFD,
		.pidfd = (uint64_t)&first,
	};

	supervisor->group = cgroup_create(group);
	if (supervisor->group < 0)
		fail("no control group");

	pid_t pid = supervisor_clone(supervisor, &clone, streams);

	if (pid < 0)
		fail("no container");
	if (pid == 0)
		container_enter(s, streams, parts, network_source);
	close(network_source);
	parts_forget();
	syscall(__NR_dup3, first, FIRST_PROCESS, O_CLOEXEC);
	close(first);
}

/* Attaches a mount in the supervisor's namespace, where children of init find it. */
static void attach(int mount, const char *path)
{
	mkdir(path, 0755);
	if (!parts_attach(mount, path))
		fail(path);
}

static void report_memory(const char *group)
{
	unsigned kills = cgroup_memory_kills(group);

	if (kills > 0)
		say("the machine ran out of memory: %u process%s killed", kills, kills > 1 ? "es were" : " was");
}

/* A shell reports the end of its last program with the same status. */
static void report_illegal_instruction(int status, bool emulated)
{
	if (status != 128 + SIGILL)
		return;
	if (emulated)
		say("a program used an instruction that its emulated processor does not have (SIGILL)");
	else
		say("a program used an instruction that this machine does not have (SIGILL); "
		    "programs for riscv64 may use those of the profile RVA23U64");
}

static bool has_shares(const struct specification *s)
{
	for (char **field = s->mounts; *field; field += MOUNT_FIELDS)
		if (*field[0])
			return true;
	return false;
}

void container_supervise(const char *group, struct message message, int ready, int commands, int children)
{
	static struct supervisor supervisor;
	struct specification s;

	bool well_formed = read_container(&message, &s);

	supervisor_begin(&supervisor, well_formed ? &s : NULL);
	if (!well_formed) {
		say("malformed CONTAINER message");
		exit(NO_CONTAINER);
	}
	if (syscall(__NR_unshare, CLONE_NEWNS) < 0)
		fail("no mount namespace");
	if (!mount_disks(s.image, s.scratch, s.flags & KEPT))
		exit(NO_CONTAINER);
	s.emulated = s.machine != 0;
	if (s.emulated) {
		if (!emulate(s.emulator, s.machine))
			exit(NO_CONTAINER);
		supervisor.fatal_signals = watch_fatal_signals();
	}
	if (has_shares(&s) && !mount_shares())
		exit(NO_CONTAINER);
	if (s.flags & KEPT)
		supervisor.disk_errors = watch_writable_disk();

	const struct parts *parts = parts_take();

	attach(parts->terminals, CONTAINER_TERMINALS);
	attach(parts->channels, CONTAINER_CHANNELS);

	struct streams streams = supervisor_open_streams(&supervisor, &s, CONTAINER_TERMINALS "/ptmx");

	start(&supervisor, group, &s, &streams, parts);
	close(ready);

	int status = supervisor_wait(&supervisor, commands, children);

	report_memory(group);
	report_illegal_instruction(status, s.emulated);
	cgroup_remove(group);
	exit(status);
}

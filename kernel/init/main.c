/* PID 1 of the guest: prepares the system, then serves the host until the host has gone. */

#include <asm/ioctls.h>
#include <linux/prctl.h>

#include "cgroup.h"
#include "console.h"
#include "control.h"
#include "files.h"
#include "network.h"
#include "process.h"
#include "starts.h"
#include "suspend.h"
#include "system.h"

static void __attribute__((noreturn)) power_off(void)
{
	cgroup_freeze("", false);
	process_end_all();
	syscall(__NR_sync);
	unmount_filesystems();
	ioctl(STDERR_FILENO, TCSBRK, (void *)1);
	reboot(RB_POWER_OFF);
	/* If PID 1 ends, the kernel panics, which also ends the machine. */
	exit(1);
}

static void handle(enum message_type type, struct message m)
{
	switch (type) {
	case RUN:
	case CONTAINER:
	case EXEC:
	case READ_FILE:
	case WRITE_FILE:
	case LIST_FOLDER:
	case STAT_FILE:
	case MAKE_FOLDER:
	case REMOVE_FILE:
	case RENAME_FILE:
	case WATCH_FILE:
	case EXPORT:
	case FORWARD:
	case CHANNEL:
		process_run(type, m);
		break;
	case SIGNAL:
	case STOP:
		process_signal(type, m);
		break;
	case KILL:
		process_kill(m);
		break;
	case RESIZE:
		process_resize(m);
		break;
	case MEASURE:
		process_measure(m);
		break;
	case NETWORK:
		if (network_configure(m))
			process_change_network();
		break;
	case SUSPEND:
		process_prepare();
		cgroup_freeze("", true);
		control_send_suspended();
		break;
	case RESUME:
		resume(m);
		break;
	case POWEROFF:
		power_off();
	default:
		break;
	}
}

static void serve(int control, int children, int starts)
{
	struct pollfd events[] = {
		{ .fd = control, .events = POLLIN },
		{ .fd = children, .events = POLLIN },
		{ .fd = starts, .events = POLLIN },
	};

	for (;;) {
		poll(events, 3, -1);
		if (events[2].revents)
			process_pass_starts();
		if (events[1].revents)
			process_reap();
		if (events[0].revents && control_receive(handle) < 0)
			return;
	}
}

int main(void)
{
	static const char started[] = "LinuxRun: init started\n";

	/* A single write, because boot benchmarks wait for this line. */
	write(STDERR_FILENO, started, sizeof(started) - 1);
	enter_root();
	mount_filesystems();
	cgroups_prepare();
	open_standard_streams();
	protect_users();
	/*
	 * A container's root has rights over its processes before these execute their program. Their memory
	 * is a copy of init's, with tokens and messages, until then.
	 */
	syscall(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	network_start_loopback();
	/* init survives anyway when memory runs out. This protects the processes that it forks. */
	write_file("/proc/self/oom_score_adj", "-1000");

	int children = child_events();
	int starts = starts_open();
	int control = control_connect();

	if (control >= 0) {
		serve(control, children, starts);
		say("the host is gone, powering off");
	} else if (errno == ENODEV) {
		say("this machine has no vsock device to reach the host, powering off");
	} else {
		say("the host does not answer over vsock (error %d), powering off", errno);
	}
	power_off();
}

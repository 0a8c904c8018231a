#include <linux/filter.h>
#include <linux/seccomp.h>

#include "fatal.h"
#include "files.h"

#define BIT(signal) (1ull << (signal))

/* Those that the emulator catches: their default action is a core dump (signal(7)). */
#define FATAL                                                                                                  \
	(BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGSEGV) | \
	 BIT(SIGXCPU) | BIT(SIGXFSZ) | BIT(SIGSYS))

/* Reports each kill(1, …). */
static struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_kill, 0, 3),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(struct seccomp_data, args[0])),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

int watch_fatal_signals(void)
{
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* A program with an action of its own goes on. The emulator has one for each of these until it gives up. */
static bool has_default_action(pid_t pid, int signal)
{
	char path[32] = "/proc/";

	itoa_r(pid, path + strlen(path));
	strlcat(path, "/status", sizeof(path));
	return !((read_figure(path, "SigCgt:", 16) | read_figure(path, "SigIgn:", 16)) & BIT(signal - 1));
}

int end_by_fatal_signal(int watch, pid_t first)
{
	struct seccomp_notif notice = {};

	/* The caller may have been interrupted, and asks again. */
	if (ioctl(watch, SECCOMP_IOCTL_NOTIF_RECV, &notice) < 0)
		return 0;

	struct seccomp_notif_resp go_on = { .id = notice.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	const uint64_t signal = notice.data.args[1];

	if (signal < 64 && FATAL & BIT(signal) && has_default_action(first, signal)) {
		kill(first, SIGKILL);
		return signal;
	}
	ioctl(watch, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
	return 0;
}

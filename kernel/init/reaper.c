#include <linux/signal.h>

#include "reaper.h"

int exit_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static void reap(pid_t program)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == program)
			exit(exit_status(status));
}

/* The kernel keeps blocked signals for PID 1, also without a handler. */
static void __attribute__((noreturn)) serve(pid_t program)
{
	static const uint64_t all_signals = ~0ul;

	for (;;) {
		int signal = syscall(__NR_rt_sigtimedwait, &all_signals, NULL, NULL, sizeof(all_signals));

		if (signal == SIGCHLD)
			reap(program);
		else if (signal > 0)
			kill(program, signal);
	}
}

bool reaper_begin(void)
{
	pid_t program = fork();

	if (program <= 0)
		return program == 0;
	/* The program's streams end with the program. */
	syscall(__NR_close_range, 0, ~0u, 0);
	serve(program);
}

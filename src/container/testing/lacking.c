/* Asks for what emulation lacks, and prints the errors. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

static void report(const char *name, long result)
{
	printf("%s: %s\n", name, result < 0 ? strerror(errno) : "works");
}

int main(void)
{
	char parameters[256] = {};

	report("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	report("io_uring", syscall(SYS_io_uring_setup, 1, parameters));
	report("seccomp filter", prctl(PR_SET_SECCOMP, 2, parameters));
	return 0;
}

/* Measures a short system call without and with the filter of containers. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The compiler's headers are older than this call. */
#ifndef __NR_riscv_hwprobe
#define __NR_riscv_hwprobe 258
#endif

#include "../../kernel/init/seccomp.c"

enum { CALLS = 200000, ROUNDS = 25 };

/* Without and with the filter: the shortest round, because the others have been disturbed. */
static double *shortest;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void measure(bool filtered)
{
	double begin = seconds();

	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);

	double took = (seconds() - begin) / CALLS;

	if (took < shortest[filtered])
		shortest[filtered] = took;
}

int main(void)
{
	shortest = mmap(NULL, sizeof(double[2]), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shortest[false] = shortest[true] = 1;
	for (int round = 0; round < 2 * ROUNDS; round++) {
		bool filtered = round % 2;

		if (fork() == 0) {
			if (filtered && filter_system_calls(false) < 0)
				return 1;
			measure(filtered);
			return 0;
		}
		wait(NULL);
	}
	printf("%.0f %.0f\n", shortest[false] * 1e9, shortest[true] * 1e9);
	return 0;
}

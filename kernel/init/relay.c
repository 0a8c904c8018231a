#include "relay.h"
#include "vsock.h"

enum { FROM, TO, FIRST_UNUSED, BUFFER_SIZE = 1 << 16 };

pid_t relay(int from, int to)
{
	static char buffer[BUFFER_SIZE];
	pid_t pid = fork();
	ssize_t n;

	if (pid != 0)
		return pid;
	/* Both are above these numbers. */
	dup2(from, FROM);
	dup2(to, TO);
	syscall(__NR_close_range, FIRST_UNUSED, ~0u, 0);
	while ((n = read(FROM, buffer, sizeof(buffer))) > 0)
		if (write_all(TO, buffer, n) < 0)
			break;
	exit(0);
}

#include "container.h"
#include "join.h"

int container_join(const struct container *container)
{
	struct pollfd made = { .fd = container->ready, .events = POLLIN };

	if (container->supervisor < 0)
		return -1;
	poll(&made, 1, -1);
	return syscall(__NR_pidfd_getfd, container->supervisor, FIRST_PROCESS, 0);
}

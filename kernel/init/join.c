#include "container.h"
#include "join.h"

int container_join(const struct container *container)
{
	struct pollfd made = { .fd = container->ready, .events = POLLIN };
	int first = -1;

	if (container->supervisor >= 0) {
		poll(&made, 1, -1);
		first = syscall(__NR_pidfd_getfd, container->supervisor, FIRST_PROCESS, 0);
	}
	if (first < 0)
		fprintf(stderr, "the container does not run\n");
	return first;
}

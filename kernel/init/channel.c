#include <linux/sched.h>
#include <linux/un.h>
#include <sys/socket.h>

#include "channel.h"
#include "console.h"
#include "disks.h"

enum { BACKLOG = 128 };

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if (!isalnum(*c) && !strchr("._-", *c))
			return false;
	return length > 0 && length < NAME_SIZE && *name != '.';
}

/* Whether the socket is of a channel whose process was killed. */
static bool is_left(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool left = connect(fd, &address, sizeof(address)) < 0 && errno == ECONNREFUSED;

	close(fd);
	return left;
}

static bool bind_to(int fd)
{
	if (bind(fd, &address, sizeof(address)) == 0)
		return true;
	if (errno != EADDRINUSE)
		return false;
	if (!is_left()) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(address.sun_path) == 0 && bind(fd, &address, sizeof(address)) == 0;
}

int channel_open(const struct container *container, const char *name)
{
	int fd;

	if (!is_name(name)) {
		fprintf(stderr, "EINVAL: a channel's name is letters, digits, ., _ and -, at most %d\n", NAME_SIZE - 1);
		return -1;
	}
	strcpy(address.sun_path, CONTAINER_CHANNELS "/");
	strlcat(address.sun_path, name, sizeof(address.sun_path));
	strlcat(address.sun_path, ".sock", sizeof(address.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The supervisor's mount of the folder is writable. */
	if (fd < 0 || syscall(__NR_setns, container->supervisor, CLONE_NEWNS) < 0 || !bind_to(fd) ||
	    /* Every program may connect. */
	    chmod(address.sun_path, 0666) < 0 || listen(fd, BACKLOG) < 0) {
		fprintf(stderr, "%s\n", error_reason(errno));
		return -1;
	}
	return fd;
}

void channel_leave(void)
{
	if (*address.sun_path)
		unlink(address.sun_path);
	exit(0);
}

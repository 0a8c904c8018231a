#include <asm/socket.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>

#include "message.h"
#include "vsock.h"

/* The host always answers, but a loaded one may take far longer than the kernel's default of 2 seconds. */
static const struct timeval connect_timeout = { .tv_sec = 100 };

/* Closes the socket. Returns -1 and keeps errno. */
static int fail(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/* Returns a socket that is connected, or about to be if it does not block; or -1 and errno. */
static int start_connect(unsigned port, int flags)
{
	struct sockaddr_vm host = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &connect_timeout, sizeof(connect_timeout));
	if (connect(fd, &host, sizeof(host)) < 0 && errno != EINPROGRESS)
		return fail(fd);
	return fd;
}

int vsock_connect(unsigned port)
{
	return start_connect(port, 0);
}

/* Waits for a started connection. Returns the descriptor, which blocks then, or -1 and errno. */
static int finish_connect(int fd)
{
	struct pollfd connected = { .fd = fd, .events = POLLOUT };
	int error = 0;
	unsigned size = sizeof(error);

	poll(&connected, 1, -1);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	errno = error;
	if (error)
		return fail(fd);
	syscall(__NR_fcntl, fd, F_SETFL, 0);
	return fd;
}

int write_all(int fd, const void *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data = (const char *)data + n;
		length -= n;
	}
	return 0;
}

static const uint8_t *stream_tokens;

/* Connections that have been started, by descriptor, or 0. */
static int started[MAX_STREAMS];

void streams_use(const uint8_t *tokens)
{
	stream_tokens = tokens;
}

void streams_connect(unsigned set)
{
	for (unsigned descriptor = 0; descriptor < MAX_STREAMS; descriptor++) {
		int fd = set >> descriptor & 1 ? start_connect(STREAM_PORT, SOCK_NONBLOCK) : -1;

		if (fd >= 0)
			started[descriptor] = fd;
	}
}

int stream_open(unsigned descriptor)
{
	int fd = started[descriptor] > 0 ? finish_connect(started[descriptor]) : vsock_connect(STREAM_PORT);

	started[descriptor] = 0;
	if (fd >= 0 && write_all(fd, stream_tokens + descriptor * TOKEN_SIZE, TOKEN_SIZE) < 0)
		return fail(fd);
	return fd;
}

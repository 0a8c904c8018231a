#include <sys/socket.h>
#include <linux/vm_sockets.h>

#include "message.h"
#include "vsock.h"

/* A loaded host may take longer to answer than the kernel's default of 2 seconds. */
static const struct timeval connect_timeout = { .tv_sec = 10 };

int vsock_connect(unsigned port)
{
	struct sockaddr_vm host = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &connect_timeout, sizeof(connect_timeout));
	if (connect(fd, &host, sizeof(host)) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
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

void streams_use(const uint8_t *tokens)
{
	stream_tokens = tokens;
}

int stream_open(unsigned descriptor)
{
	int fd = vsock_connect(STREAM_PORT);

	if (fd >= 0 && write_all(fd, stream_tokens + descriptor * TOKEN_SIZE, TOKEN_SIZE) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

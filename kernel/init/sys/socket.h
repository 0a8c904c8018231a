/* The part of <sys/socket.h> that nolibc lacks and the kernel's own headers need. */
#ifndef INIT_SYS_SOCKET_H
#define INIT_SYS_SOCKET_H

#include <linux/socket.h>
#include <linux/types.h>

#define AF_INET 2
#define AF_NETLINK 16
#define AF_VSOCK 40
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_CLOEXEC O_CLOEXEC

typedef __kernel_sa_family_t sa_family_t;

struct sockaddr {
	sa_family_t sa_family;
	char sa_data[14];
};

static inline int socket(int family, int type, int protocol)
{
	return syscall(__NR_socket, family, type, protocol);
}

static inline int connect(int fd, const void *address, unsigned length)
{
	return syscall(__NR_connect, fd, address, length);
}

static inline int setsockopt(int fd, int level, int option, const void *value, unsigned length)
{
	return syscall(__NR_setsockopt, fd, level, option, value, length);
}

#endif

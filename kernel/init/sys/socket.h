/* The part of <sys/socket.h> that nolibc lacks and the kernel's own headers need. */
#ifndef INIT_SYS_SOCKET_H
#define INIT_SYS_SOCKET_H

#include <linux/socket.h>
#include <linux/types.h>

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_VSOCK 40
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_CLOEXEC O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define SHUT_RD 0
#define SHUT_WR 1
#define MSG_DONTWAIT 0x40

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

static inline int bind(int fd, const void *address, unsigned length)
{
	return syscall(__NR_bind, fd, address, length);
}

static inline int listen(int fd, int backlog)
{
	return syscall(__NR_listen, fd, backlog);
}

static inline int accept4(int fd, void *address, unsigned *length, int flags)
{
	return syscall(__NR_accept4, fd, address, length, flags);
}

static inline int setsockopt(int fd, int level, int option, const void *value, unsigned length)
{
	return syscall(__NR_setsockopt, fd, level, option, value, length);
}

static inline int getsockopt(int fd, int level, int option, void *value, unsigned *length)
{
	return syscall(__NR_getsockopt, fd, level, option, value, length);
}

static inline int shutdown(int fd, int how)
{
	return syscall(__NR_shutdown, fd, how);
}

static inline ssize_t send(int fd, const void *data, size_t length, int flags)
{
	return syscall(__NR_sendto, fd, data, length, flags, NULL, 0);
}

static inline ssize_t recv(int fd, void *to, size_t length, int flags)
{
	return syscall(__NR_recvfrom, fd, to, length, flags, NULL, NULL);
}

#endif

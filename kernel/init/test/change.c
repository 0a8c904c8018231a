/*
 * Makes files in the working directory that shells cannot make: a socket, a sparse file, attributes, and
 * times with nanoseconds, before 1970 and after 2242.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static void make_file(const char *name, time_t seconds, long nanoseconds)
{
	const struct timespec times[] = { { 0 }, { seconds, nanoseconds } };

	check(open(name, O_WRONLY | O_CREAT, 0644), name);
	check(utimensat(AT_FDCWD, name, times, 0), name);
}

int main(void)
{
	static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 4 };
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd;

	check(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof(address)), "socket");
	make_file("early", -2, 750000000);
	make_file("old", -5, 0);
	make_file("late", 1ll << 33, 1);
	check(fd = open("sparse", O_RDWR | O_CREAT, 0600), "sparse");
	check(pwrite(fd, "end", 3, (1 << 20) + 1), "sparse");
	make_file("attributes", 0, 0);
	check(setxattr("attributes", "user.note", "a=\n\0b", 5, 0), "user.note");
	check(setxattr("attributes", "user.odd=name", "x", 1, 0), "user.odd=name");
	check(setxattr("attributes", "security.capability", capability, sizeof(capability), 0), "capability");
	check(setxattr(".", "user.folder", "1", 1, 0), "user.folder");
	return 0;
}

/*
 * A server: "listener PORT BACKLOG PROGRAM...". It runs the program for each connection. Without a program it
 * accepts none. The kernel completes these as long as they fit into the backlog, and takes bytes for them
 * that nobody reads.
 */
#include <sys/socket.h>
#include <linux/in.h>

static void serve(int listening, char **program, char **environment)
{
	int fd = syscall(__NR_accept4, listening, NULL, NULL, 0);

	if (fork() == 0) {
		close(listening);
		dup2(fd, 0);
		dup2(fd, 1);
		close(fd);
		execve(program[0], program, environment);
		exit(1);
	}
	close(fd);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(int count, char **arguments, char **environment)
{
	int port = count > 2 ? atoi(arguments[1]) : 0, backlog = count > 2 ? atoi(arguments[2]) : 0;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = __builtin_bswap16(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (syscall(__NR_bind, fd, &address, sizeof(address)) < 0 || syscall(__NR_listen, fd, backlog) < 0)
		return 1;
	for (;;) {
		if (arguments[3])
			serve(fd, arguments + 3, environment);
		else
			sleep(1000);
	}
}

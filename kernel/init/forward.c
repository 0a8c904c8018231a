#include <linux/eventpoll.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <sys/socket.h>

#include "connection.h"
#include "console.h"
#include "forward.h"
#include "ports.h"
#include "vsock.h"

enum { COMMANDS = 0, EVENTS = 1, FAILED = 1 };

enum { MOST_EVENTS = 64, LOOK_MILLISECONDS = 500, DRAIN_MILLISECONDS = 2000 };

/* What is not a connection has these numbers in events. */
enum { COMMANDED = -1, CONTAINER_ENDED = -2, LOOK_DUE = -3 };

static int epoll, timer;

void forward_report(enum event_type type, uint32_t subject, uint32_t detail)
{
	const uint32_t event[] = { type, subject, detail };

	if (write_all(EVENTS, event, sizeof(event)) < 0)
		exit(0);
}

static void watch(int fd, int number)
{
	struct epoll_event event = { .events = EPOLLIN, .data = number };

	syscall(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Looks at the ports now, and regularly from now on. */
static void watch_ports(bool watched)
{
	struct __kernel_itimerspec time = { 0 };

	if (watched) {
		time.it_interval.tv_nsec = time.it_value.tv_nsec = LOOK_MILLISECONDS * 1000000ll;
		ports_look();
	} else {
		ports_forget();
	}
	syscall(__NR_timerfd_settime, timer, 0, &time, NULL);
}

static void obey(const uint8_t *command)
{
	uint32_t fields[3];

	memcpy(fields, command, sizeof(fields));
	switch (fields[0]) {
	case CONNECT:
		connection_open(fields[1], fields[2], command + sizeof(fields));
		break;
	case CANCEL:
		connection_cancel(fields[1]);
		break;
	case WATCH_PORTS:
		watch_ports(true);
		break;
	case IGNORE_PORTS:
		watch_ports(false);
		break;
	}
}

static void receive_commands(void)
{
	static uint8_t received[64 * COMMAND_SIZE];
	static size_t length;
	ssize_t n = recv(COMMANDS, received + length, sizeof(received) - length, MSG_DONTWAIT);
	size_t taken = 0;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		exit(0);
	if (n < 0)
		return;
	for (length += n; length - taken >= COMMAND_SIZE; taken += COMMAND_SIZE)
		obey(received + taken);
	length -= taken;
	memmove(received, received + taken, length);
}

static void look(void)
{
	uint64_t ticks;

	if (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks))
		ports_look();
}

/* Handles what has happened. Returns whether the container still runs. */
static bool handle_events(int timeout)
{
	static struct epoll_event events[MOST_EVENTS];
	int count = syscall(__NR_epoll_pwait, epoll, events, MOST_EVENTS, timeout, NULL, 0);
	bool commanded = false, runs = true;

	for (int i = 0; i < count; i++) {
		int number = (int)events[i].data;

		if (number == COMMANDED)
			commanded = true;
		else if (number == CONTAINER_ENDED)
			runs = false;
		else if (number == LOOK_DUE)
			look();
		else
			connection_handle(number, events[i].events);
	}
	/* Last, because a new connection may take the place of one that has ended in this turn. */
	if (commanded)
		receive_commands();
	return runs;
}

/* The servers are gone. Passes on what they had sent, if the host takes it within a while. */
static void drain(int first)
{
	struct __kernel_itimerspec patience = { .it_value.tv_sec = DRAIN_MILLISECONDS / 1000 };

	syscall(__NR_epoll_ctl, epoll, EPOLL_CTL_DEL, first, NULL);
	syscall(__NR_timerfd_settime, timer, 0, &patience, NULL);
	connections_let_end();
	while (connections_open() > 0) {
		uint64_t ticks;

		handle_events(-1);
		if (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks))
			return;
	}
}

static void allow_open_files(void)
{
	static const struct rlimit files = { .rlim_cur = 4096, .rlim_max = 4096 };

	setrlimit(RLIMIT_NOFILE, &files);
}

void forward(const struct container *container)
{
	int commands = stream_open(STDIN_FILENO), events = stream_open(STDOUT_FILENO);
	int first = commands < 0 || events < 0 ? -1 : container_join(container);

	/* The process stays outside the container's other namespaces, so nothing there can see it. */
	if (first < 0 || syscall(__NR_setns, first, CLONE_NEWNET) < 0)
		exit(FAILED);
	dup2(commands, COMMANDS);
	dup2(events, EVENTS);
	close(commands);
	close(events);
	allow_open_files();
	epoll = syscall(__NR_epoll_create1, EPOLL_CLOEXEC);
	timer = syscall(__NR_timerfd_create, CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK);
	connections_begin(epoll);
	watch(COMMANDS, COMMANDED);
	watch(first, CONTAINER_ENDED);
	watch(timer, LOOK_DUE);
	while (handle_events(-1))
		;
	drain(first);
	exit(0);
}

#include <linux/eventpoll.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time_types.h>
#include <sys/socket.h>

#include "connection.h"
#include "console.h"
#include "forward.h"
#include "ports.h"
#include "vsock.h"

/* Its descriptors. Standard error is the console. */
enum { COMMANDS = 0, EVENTS = 1, FIRST = 3, FIRST_UNUSED };

enum { FAILED = 1 };

enum { MOST_EVENTS = 64, LOOK_MILLISECONDS = 500, DRAIN_MILLISECONDS = 2000 };

/* The numbers, in events, of descriptors other than connections'. */
enum { COMMANDED = -1, CONTAINER_ENDED = -2, TIME_IS_UP = -3 };

static int epoll, timer;
/* The container has ended, and the timer will end this process. */
static bool draining;

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

	if (draining)
		return;
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

static void handle_time(void)
{
	uint64_t ticks;

	if (read(timer, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	if (draining)
		exit(0);
	ports_look();
}

/* Handles pending events. Returns whether the container still runs. */
static bool handle_events(void)
{
	static struct epoll_event events[MOST_EVENTS];
	int count = syscall(__NR_epoll_pwait, epoll, events, MOST_EVENTS, -1, NULL, 0);
	bool commanded = false, runs = true;

	for (int i = 0; i < count; i++) {
		int number = (int)events[i].data;

		if (number == COMMANDED)
			commanded = true;
		else if (number == CONTAINER_ENDED)
			runs = false;
		else if (number == TIME_IS_UP)
			handle_time();
		else
			connection_handle(number, events[i].events);
	}
	/* Last, because a new connection may take the place of one that has ended in this turn. */
	if (commanded)
		receive_commands();
	return runs;
}

/* The servers are gone. Passes on their last bytes, if the host takes them soon. */
static void drain(void)
{
	struct __kernel_itimerspec patience = { .it_value.tv_sec = DRAIN_MILLISECONDS / 1000 };

	syscall(__NR_epoll_ctl, epoll, EPOLL_CTL_DEL, FIRST, NULL);
	syscall(__NR_timerfd_settime, timer, 0, &patience, NULL);
	draining = true;
	connections_let_end();
	while (connections_open() > 0)
		handle_events();
}

/* A receiver may be gone before it is written to. */
static void ignore_broken_pipes(void)
{
	static const sigset_t signals = { .sig = { 1ul << (SIGPIPE - 1) } };

	syscall(__NR_rt_sigprocmask, SIG_BLOCK, &signals, NULL, sizeof(signals));
}

/* Keeps only its own descriptors, of those that it has from init. */
static void keep(int commands, int events, int first)
{
	dup2(commands, COMMANDS);
	dup2(events, EVENTS);
	syscall(__NR_dup3, first, FIRST, O_CLOEXEC);
	syscall(__NR_close_range, FIRST_UNUSED, ~0u, 0);
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
	keep(commands, events, first);
	ignore_broken_pipes();
	allow_open_files();
	epoll = syscall(__NR_epoll_create1, EPOLL_CLOEXEC);
	timer = syscall(__NR_timerfd_create, CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK);
	connections_begin(epoll);
	watch(COMMANDS, COMMANDED);
	watch(FIRST, CONTAINER_ENDED);
	watch(timer, TIME_IS_UP);
	while (handle_events())
		;
	drain();
	exit(0);
}

#include <linux/eventpoll.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time_types.h>
#include <sys/socket.h>

#include "channel.h"
#include "connection.h"
#include "console.h"
#include "forward.h"
#include "ports.h"
#include "report.h"
#include "vsock.h"

/* Its descriptors. Standard error is the console, or a channel's stream for messages. */
enum { COMMANDS = 0, FIRST = 3, LISTENER, FIRST_UNUSED };

/* The stream for messages, and the exit status after one. */
enum { MESSAGES = 3, FAILED = 1 };

enum { MOST_EVENTS = 64, LOOK_MILLISECONDS = 500, DRAIN_MILLISECONDS = 2000 };

/* The numbers, in events, of descriptors other than connections'. */
enum { COMMANDED = -1, CONTAINER_ENDED = -2, TIME_IS_UP = -3, CLIENT_CAME = -4 };

static int epoll, timer;
/* The container has ended, and the timer will end this process. */
static bool draining;
/* The ACCEPT for the next client of a channel. */
static uint8_t invitation[COMMAND_SIZE];

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

/* Clients wait in the socket's queue until the host invites the next one. */
static void invite(const uint8_t *command)
{
	memcpy(invitation, command, COMMAND_SIZE);
	watch(LISTENER, CLIENT_CAME);
}

static void accept_client(void)
{
	int client = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uint32_t fields[3];

	if (client < 0)
		return;
	syscall(__NR_epoll_ctl, epoll, EPOLL_CTL_DEL, LISTENER, NULL);
	memcpy(fields, invitation, sizeof(fields));
	connection_accept(fields[1], client, invitation + sizeof(fields));
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
	case ACCEPT:
		invite(command);
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
		channel_leave();
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
		channel_leave();
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
		else if (number == CLIENT_CAME)
			accept_client();
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
static void keep(int commands, int events, int first, int listener)
{
	/* All of them are above these numbers, which belong to init's descriptors. */
	dup2(commands, COMMANDS);
	dup2(events, REPORTS);
	if (listener >= 0)
		syscall(__NR_dup3, listener, LISTENER, O_CLOEXEC);
	syscall(__NR_dup3, first, FIRST, O_CLOEXEC);
	syscall(__NR_close_range, listener < 0 ? LISTENER : FIRST_UNUSED, ~0u, 0);
}

static void allow_open_files(void)
{
	static const struct rlimit files = { .rlim_cur = 4096, .rlim_max = 4096 };

	setrlimit(RLIMIT_NOFILE, &files);
}

/* Returns the socket of the channel, whose problems have a stream of their own. */
static int open_channel(const struct container *container, const char *name)
{
	int listener = channel_open(container, name);

	if (listener < 0)
		exit(FAILED);
	return listener;
}

static void open_messages(void)
{
	int messages = stream_open(MESSAGES);

	if (messages < 0)
		exit(FAILED);
	dup2(messages, STDERR_FILENO);
	close(messages);
}

void forward(const struct container *container, const char *channel)
{
	streams_connect(1 << STDIN_FILENO | 1 << STDOUT_FILENO | (channel ? 1 << MESSAGES : 0));

	int commands = stream_open(STDIN_FILENO), events = stream_open(STDOUT_FILENO);

	if (channel)
		open_messages();

	int first = commands < 0 || events < 0 ? -1 : container_join(container);

	if (first < 0 && channel)
		fprintf(stderr, "ESRCH: the container does not run\n");
	/* The process stays outside the container's other namespaces, so nothing there can see it. */
	if (first < 0 || syscall(__NR_setns, first, CLONE_NEWNET) < 0)
		exit(FAILED);

	int listener = channel ? open_channel(container, channel) : -1;

	keep(commands, events, first, listener);
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
	channel_leave();
}

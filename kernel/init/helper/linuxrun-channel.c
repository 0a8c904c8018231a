/*
 * Connects a shell to a channel of the container: messages to and from the page or program that runs it.
 * Frames are as docs/containers.md describes.
 */
#include <linux/sockios.h>
#include <linux/time_types.h>
#include <linux/un.h>
#include <sys/socket.h>
#include <stdbool.h>

#define FOLDER "/run/linuxrun/"

enum { LENGTH_SIZE = 4, MOST = 16 << 20, BUFFER_SIZE = 1 << 16, PATIENCE = 10, PAUSE = 20000, DELIVERY_PAUSE = 2000 };
enum { FAILED = 1, WRONG_USAGE = 2 };

/* A line that is being read, behind room for its length. */
static char line[LENGTH_SIZE + MOST];
static size_t line_length;
static char buffer[BUFFER_SIZE];
static int channel;

static void __attribute__((noreturn)) fail(const char *what, const char *why, int status)
{
	fprintf(stderr, "linuxrun-channel: %s%s\n", what, why);
	exit(status);
}

static long seconds(void)
{
	struct __kernel_timespec now = { 0 };

	syscall(__NR_clock_gettime, 1, &now);
	return now.tv_sec;
}

/* The host may open the channel a moment later. */
static int open_channel(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = FOLDER };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strchr(name, '/') || strlcat(address.sun_path, name, sizeof(address.sun_path)) >= 100)
		fail("no name of a channel: ", name, WRONG_USAGE);
	strlcat(address.sun_path, ".sock", sizeof(address.sun_path));
	for (long end = seconds() + PATIENCE; connect(fd, &address, sizeof(address)) < 0;) {
		if ((errno != ENOENT && errno != ECONNREFUSED) || seconds() > end)
			fail("there is no channel ", name, FAILED);
		usleep(PAUSE);
	}
	return fd;
}

static void write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail("the channel or the output", " is closed", FAILED);
		data += n;
		length -= n;
	}
}

static void append(const char *text, size_t length)
{
	if (length > MOST - line_length)
		fail("a message has at most", " 16 MiB", FAILED);
	memcpy(line + LENGTH_SIZE + line_length, text, length);
	line_length += length;
}

static void send_line(void)
{
	for (int i = 0; i < LENGTH_SIZE; i++)
		line[i] = line_length >> (8 * (LENGTH_SIZE - 1 - i));
	write_all(channel, line, LENGTH_SIZE + line_length);
	line_length = 0;
}

/* Sends the lines that are complete. */
static void send_lines(const char *text, size_t length)
{
	for (size_t at = 0, end = 0; end < length; at = ++end) {
		while (end < length && text[end] != '\n')
			end++;
		append(text + at, end - at);
		if (end < length)
			send_line();
	}
}

/* Sends what standard input has. Returns false at its end, also after a line without one. */
static bool send_input(void)
{
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n < 0 && errno == EINTR)
		return true;
	if (n > 0) {
		send_lines(buffer, n);
		return true;
	}
	if (line_length > 0)
		send_line();
	shutdown(channel, SHUT_WR);
	return false;
}

/* Reads exactly that many bytes. Returns false at the end of the channel. */
static bool receive(char *to, size_t length)
{
	while (length > 0) {
		ssize_t n = read(channel, to, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		length -= n;
	}
	return true;
}

/* Prints the next message as a line. Returns false at the end of the channel. */
static bool print_message(void)
{
	unsigned char size[LENGTH_SIZE];
	size_t left;

	if (!receive((char *)size, sizeof(size)))
		return false;
	left = (size_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
	while (left > 0) {
		size_t part = left < sizeof(buffer) ? left : sizeof(buffer);

		if (!receive(buffer, part))
			return false;
		write_all(STDOUT_FILENO, buffer, part);
		left -= part;
	}
	write_all(STDOUT_FILENO, "\n", 1);
	return true;
}

/* Waits until the host has the messages, because the container may end with this program. */
static void deliver(void)
{
	for (int left = 0; ioctl(channel, SIOCOUTQ, &left) == 0 && left > 0;)
		usleep(DELIVERY_PAUSE);
}

/* Messages are lines in both directions, until the host closes the channel. */
static void talk(void)
{
	struct pollfd events[] = { { .fd = channel, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

	for (;;) {
		poll(events, 2, -1);
		if (events[0].revents && !print_message())
			return;
		if (events[1].revents && !send_input())
			events[1].fd = -1;
	}
}

static void send_words(char **words)
{
	for (char **word = words; *word; word++) {
		if (word > words)
			append(" ", 1);
		append(*word, strlen(*word));
	}
	send_line();
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[2] : "";
	bool sends = strcmp(verb, "send") == 0, receives = strcmp(verb, "recv") == 0 && argc == 3;

	if (argc < 2 || (argc > 2 && !sends && !receives))
		fail("usage: linuxrun-channel NAME", " [send TEXT... | recv]", WRONG_USAGE);
	channel = open_channel(argv[1]);
	if (sends)
		send_words(argv + 3);
	else if (!receives)
		talk();
	else if (!print_message())
		fail("the channel was closed", " before a message came", FAILED);
	deliver();
	return 0;
}

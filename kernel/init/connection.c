#include <asm/socket.h>
#include <linux/eventpoll.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/mman.h>
#include <linux/tcp.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include "connection.h"
#include "files.h"
#include "report.h"
#include "vsock.h"

enum { MAX_CONNECTIONS = 512 };

/* A server that does not accept connections keeps one waiting for half a minute. */
enum { SYN_RETRIES = 4 };

/*
 * Bytes that a connection takes at a time. While many connections hold bytes that nobody takes, the others
 * take fewer, which bounds the memory for all.
 */
enum { BUFFER_SIZE = 1 << 16, SMALL_SIZE = 1 << 12, MANY_HELD = 32, MOST_SPARE = 4 };

/*
 * The kernel holds bytes for servers that do not take them. A connection may have a part of the memory that
 * is left for that, within these bounds, so that any number of such servers leaves the machine enough.
 */
enum { SHARE_OF_MEMORY = 8, SHARE_OF_REST = 8, LEAST_SHARE = 1 << 13, MOST_SHARE = 1 << 17 };

/* The ends of a connection, and the number of an event, which has the end in its lowest bit. */
enum end { SERVER, HOST, ENDS };

/* One direction, from one end to the other. */
struct flow {
	/* NULL unless it holds bytes that the receiver has not taken. */
	char *buffer;
	size_t at, length;
	bool ended;
};

/* A free entry has state FREE. */
static struct connection {
	enum { FREE, CONNECTING, CONNECTED } state;
	uint32_t id;
	uint16_t port;
	uint8_t token[TOKEN_SIZE];
	/* The error of the first address while the second is tried, or 0. */
	int error;
	/* It comes from a client, which takes the server's place. */
	bool is_client;
	/* The server has reset it. Bytes that it had sent before go to the host. */
	bool reset;
	int fds[ENDS];
	/* The most bytes for the server that the kernel holds. */
	uint64_t share;
	/* The events that epoll looks for. */
	uint32_t interest[ENDS];
	/* By the sender. */
	struct flow flows[ENDS];
} connections[MAX_CONNECTIONS];

static int epoll;
static unsigned count, held;
static bool servers_gone;
static int64_t memory_left;

/* Unused buffers. */
static char *spare[MOST_SPARE];
static unsigned spares;

void connections_begin(int epoll_descriptor)
{
	epoll = epoll_descriptor;
	memory_left = read_figure("/proc/meminfo", "MemTotal:", 10) * 1024 / SHARE_OF_MEMORY;
}

static void take_share(struct connection *c)
{
	int64_t share = memory_left / SHARE_OF_REST;

	c->share = share < LEAST_SHARE ? LEAST_SHARE : share > MOST_SHARE ? MOST_SHARE : share;
	memory_left -= c->share;
}

unsigned connections_open(void)
{
	return count;
}

static char *take_buffer(void)
{
	if (spares > 0)
		return spare[--spares];

	void *buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return buffer == MAP_FAILED ? NULL : buffer;
}

static void give_buffer(char *buffer)
{
	if (spares < MOST_SPARE)
		spare[spares++] = buffer;
	else
		munmap(buffer, BUFFER_SIZE);
}

static void set_interest(struct connection *c, enum end end, uint32_t interest)
{
	struct epoll_event event = { .events = interest, .data = (c - connections) * ENDS + end };
	int operation = !interest ? EPOLL_CTL_DEL : c->interest[end] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (interest == c->interest[end])
		return;
	syscall(__NR_epoll_ctl, epoll, operation, c->fds[end], &event);
	c->interest[end] = interest;
}

/* Without interest a descriptor has no events at all, because epoll tells of hang-ups always. */
static void update_interests(struct connection *c)
{
	for (enum end end = SERVER; end < ENDS; end++) {
		const struct flow *out = &c->flows[end], *in = &c->flows[!end];
		bool reads = !out->ended && !out->buffer;
		/* A client that sends no more may still go. */
		bool awaits_end = c->is_client && end == SERVER && out->ended;

		set_interest(c, end,
			     (reads ? EPOLLIN : 0) | (in->buffer ? EPOLLOUT : 0) | (awaits_end ? EPOLLHUP : 0));
	}
}

static void drop_held(struct flow *flow)
{
	if (!flow->buffer)
		return;
	give_buffer(flow->buffer);
	flow->buffer = NULL;
	held--;
}

static void close_end(struct connection *c, enum end end)
{
	if (c->fds[end] >= 0)
		close(c->fds[end]);
	c->fds[end] = -1;
	c->interest[end] = 0;
}

/*
 * Ends both sides at once, and resets the server's unless it was made orderly, as does the end of this
 * process. The stream to the host, which was not shut down, says so by that.
 */
static void release(struct connection *c)
{
	for (enum end end = SERVER; end < ENDS; end++) {
		drop_held(&c->flows[end]);
		close_end(c, end);
	}
	memory_left += c->share;
	c->state = FREE;
	count--;
}

/* Says whether a close of the server's side sends the bytes that are left, or resets. */
static void set_orderly(struct connection *c, bool orderly)
{
	const struct {
		int on, seconds;
	} linger = { .on = !orderly };

	setsockopt(c->fds[SERVER], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Both directions have ended. */
static void finish(struct connection *c)
{
	set_orderly(c, true);
	release(c);
}

static void refuse(struct connection *c, int error)
{
	report(REFUSED, c->id, error);
	release(c);
}

/* The server takes no more. What it has sent may still be on its way. */
static void stop_sending(struct connection *c)
{
	drop_held(&c->flows[HOST]);
	c->flows[HOST].ended = c->reset = true;
	shutdown(c->fds[HOST], SHUT_RD);
}

/*
 * Whether the host takes no more although the server may send. The device resets connections that stayed with
 * another machine. A host that is there ends one direction after the other.
 */
static bool host_is_gone(const struct connection *c)
{
	return !c->flows[SERVER].ended && send(c->fds[HOST], "", 0, MSG_DONTWAIT) < 0 && errno != EAGAIN;
}

/* A sender has ended its direction. */
static void end_flow(struct connection *c, enum end from)
{
	c->flows[from].ended = true;
	if (from == HOST || !c->reset)
		shutdown(c->fds[!from], SHUT_WR);
}

/* Sends the bytes of a flow. Returns the rest that the receiver does not take, or -1 and errno. */
static ssize_t send_some(int to, const char *bytes, size_t length)
{
	ssize_t n = send(to, bytes, length, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	return n < 0 ? -1 : (ssize_t)length - n;
}

/* The receiver of a flow is gone. Returns whether the connection goes on. */
static bool lose_receiver(struct connection *c, enum end from)
{
	if (from == SERVER) {
		release(c);
		return false;
	}
	stop_sending(c);
	return true;
}

static bool send_held(struct connection *c, enum end from)
{
	struct flow *flow = &c->flows[from];
	ssize_t rest = send_some(c->fds[!from], flow->buffer + flow->at, flow->length);

	if (rest < 0)
		return lose_receiver(c, from);
	flow->at += flow->length - rest;
	flow->length = rest;
	if (rest == 0)
		drop_held(flow);
	return true;
}

/* Moves bytes of a flow that holds none. Returns whether the connection goes on. */
static bool move(struct connection *c, enum end from, char *buffer)
{
	struct flow *flow = &c->flows[from];
	size_t size = held < MANY_HELD ? BUFFER_SIZE : SMALL_SIZE;
	ssize_t n = recv(c->fds[from], buffer, size, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		give_buffer(buffer);
		return true;
	}

	ssize_t rest = n > 0 ? send_some(c->fds[!from], buffer, n) : 0;

	if (n > 0 && rest > 0) {
		*flow = (struct flow){ .buffer = buffer, .at = n - rest, .length = rest };
		held++;
		return true;
	}
	give_buffer(buffer);
	if (n < 0 || (n == 0 && from == HOST && host_is_gone(c))) {
		release(c);
		return false;
	}
	if (n == 0)
		end_flow(c, from);
	return rest < 0 ? lose_receiver(c, from) : true;
}

/* Moves bytes of a flow as far as possible. Returns whether the connection goes on. */
static bool pass(struct connection *c, enum end from)
{
	struct flow *flow = &c->flows[from];

	if (flow->buffer)
		return send_held(c, from);
	if (flow->ended)
		return true;

	char *buffer = take_buffer();

	if (buffer)
		return move(c, from, buffer);
	release(c);
	return false;
}

static bool is_over(const struct connection *c)
{
	return c->flows[SERVER].ended && (c->flows[HOST].ended || servers_gone);
}

/* Opens the stream to the host, which makes the connection known there. */
static void establish(struct connection *c)
{
	int host = vsock_connect(STREAM_PORT);

	c->fds[HOST] = host;
	set_orderly(c, false);
	take_share(c);
	if (host >= 0)
		setsockopt(host, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &c->share, sizeof(c->share));
	if (host < 0 || write_all(host, c->token, TOKEN_SIZE) < 0) {
		refuse(c, errno);
		return;
	}
	c->state = CONNECTED;
	update_interests(c);
}

/* Returns 0 once the connection is made, EINPROGRESS, or an error. */
static int connect_to(struct connection *c, bool second)
{
	const struct sockaddr_in first_address = {
		.sin_family = AF_INET,
		.sin_port = __builtin_bswap16(c->port),
		.sin_addr = { __builtin_bswap32(INADDR_LOOPBACK) },
	};
	const struct sockaddr_in6 second_address = {
		.sin6_family = AF_INET6,
		.sin6_port = __builtin_bswap16(c->port),
		.sin6_addr.s6_addr[15] = 1,
	};
	int result = second ? connect(c->fds[SERVER], &second_address, sizeof(second_address)) :
			      connect(c->fds[SERVER], &first_address, sizeof(first_address));

	if (result == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY ? EINPROGRESS : errno;
}

/* Returns 0 or an error. */
static int open_socket(struct connection *c, bool second)
{
	static const int on = 1, retries = SYN_RETRIES;
	int fd = socket(second ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	c->fds[SERVER] = fd;
	if (fd < 0)
		return errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof(retries));
	return 0;
}

/* Continues to connect after this result for one of the addresses. */
static void advance(struct connection *c, int result)
{
	if (result != 0 && result != EINPROGRESS && !c->error) {
		c->error = result;
		close_end(c, SERVER);
		result = open_socket(c, true);
		if (result == 0)
			result = connect_to(c, true);
	}
	if (result == 0)
		establish(c);
	else if (result == EINPROGRESS)
		set_interest(c, SERVER, EPOLLOUT);
	else
		refuse(c, c->error);
}

static struct connection *find(uint32_t id)
{
	for (struct connection *c = connections; c < connections + MAX_CONNECTIONS; c++)
		if (c->state != FREE && c->id == id)
			return c;
	return NULL;
}

static struct connection *find_free(void)
{
	for (struct connection *c = connections; c < connections + MAX_CONNECTIONS; c++)
		if (c->state == FREE)
			return c;
	return NULL;
}

/* Returns a new connection, or NULL after reporting that there can be none. */
static struct connection *begin(uint32_t id, const uint8_t *token)
{
	struct connection *c = find_free();

	if (!c || servers_gone) {
		report(REFUSED, id, c ? ECONNREFUSED : EMFILE);
		return NULL;
	}
	*c = (struct connection){ .state = CONNECTING, .id = id, .fds = { -1, -1 } };
	memcpy(c->token, token, TOKEN_SIZE);
	count++;
	return c;
}

void connection_open(uint32_t id, uint32_t port, const uint8_t *token)
{
	struct connection *c = begin(id, token);

	if (!c)
		return;
	c->port = port;

	int error = open_socket(c, false);

	advance(c, error ? error : connect_to(c, false));
}

void connection_accept(uint32_t id, int client, const uint8_t *token)
{
	struct connection *c = begin(id, token);

	if (!c) {
		close(client);
		return;
	}
	c->fds[SERVER] = client;
	c->is_client = true;
	establish(c);
}

void connection_cancel(uint32_t id)
{
	struct connection *c = find(id);

	if (c)
		release(c);
}

void connection_handle(int number, uint32_t events)
{
	struct connection *c = &connections[number / ENDS];
	enum end end = number % ENDS;

	if (c->state == CONNECTING)
		advance(c, connect_to(c, c->error != 0));
	if (c->state != CONNECTED)
		return;
	if (events & ~EPOLLOUT && !pass(c, end))
		return;
	if (events & ~EPOLLIN && !pass(c, !end))
		return;
	if (c->is_client && end == SERVER && events & EPOLLHUP && c->flows[SERVER].ended)
		stop_sending(c);
	if (!is_over(c))
		update_interests(c);
	else if (c->reset)
		release(c);
	else
		finish(c);
}

void connections_let_end(void)
{
	servers_gone = true;
	for (struct connection *c = connections; c < connections + MAX_CONNECTIONS; c++)
		if (c->state == CONNECTED && is_over(c))
			finish(c);
		else if (c->state == CONNECTING)
			refuse(c, ECONNREFUSED);
}

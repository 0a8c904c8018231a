#include <linux/in.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "ports.h"
#include "report.h"

enum { PORTS = 1 << 16, WORD_BITS = 64, LISTENING = 10, ANSWER_SIZE = 1 << 15 };

typedef uint64_t port_set[PORTS / WORD_BITS];

static port_set known, found;

static void report_changes(unsigned word)
{
	for (uint64_t changed = known[word] ^ found[word]; changed; changed &= changed - 1) {
		unsigned bit = __builtin_ctzl(changed);
		bool opened = found[word] >> bit & 1;

		report(opened ? PORT_OPENED : PORT_CLOSED, word * WORD_BITS + bit, 0);
	}
	known[word] = found[word];
}

/* Whether the forwarder reaches a server with that address. */
static bool is_reachable(const struct inet_diag_msg *socket)
{
	const uint32_t *address = socket->id.idiag_src;
	const uint32_t loopback = __builtin_bswap32(INADDR_LOOPBACK), mapped = __builtin_bswap32(0xffff);

	if (socket->idiag_family == AF_INET)
		return address[0] == 0 || address[0] == loopback;
	if (address[0] || address[1])
		return false;
	return address[2] == 0 ? address[3] == 0 || address[3] == __builtin_bswap32(1) :
				 address[2] == mapped && (address[3] == 0 || address[3] == loopback);
}

static void note(const struct nlmsghdr *message)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)) || !is_reachable(socket))
		return;

	unsigned port = __builtin_bswap16(socket->id.idiag_sport);

	found[port / WORD_BITS] |= 1ull << (port % WORD_BITS);
}

/* Reads the answer to a request. Returns whether it is complete. */
static bool read_answer(int netlink)
{
	static char answer[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (;;) {
		int left = recv(netlink, answer, sizeof(answer), 0);

		if (left <= 0)
			return false;
		for (const struct nlmsghdr *m = (void *)answer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return true;
			if (m->nlmsg_type == NLMSG_ERROR)
				return false;
			note(m);
		}
	}
}

static bool find_ports(int netlink, int family)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 sockets;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.sockets = { .sdiag_family = family,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = 1 << LISTENING },
	};

	return send(netlink, &request, sizeof(request), 0) == sizeof(request) && read_answer(netlink);
}

void ports_look(void)
{
	static int netlink = -1;

	if (netlink < 0)
		netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	memset(found, 0, sizeof(found));
	/* A port that an incomplete answer lacks may still be open. */
	if (!find_ports(netlink, AF_INET) || !find_ports(netlink, AF_INET6)) {
		close(netlink);
		netlink = -1;
		return;
	}
	for (unsigned word = 0; word < PORTS / WORD_BITS; word++)
		report_changes(word);
}

void ports_forget(void)
{
	memset(known, 0, sizeof(known));
}

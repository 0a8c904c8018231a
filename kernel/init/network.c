#include <sys/socket.h>
#include <linux/if.h>
#include <linux/in.h>
#include <linux/route.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "console.h"
#include "files.h"
#include "network.h"

#define CARD "eth0"

static struct network card;
static bool configured;
/* The gateway of the configuration before, if the card is in another network now; or 0. */
static uint32_t gateway_before;

bool network_configure(struct message m)
{
	struct network told;

	if (!read_network(&m, &told)) {
		say("malformed NETWORK message");
		return false;
	}
	bool moved = configured && (card.address != told.address || card.gateway != told.gateway);

	gateway_before = moved ? card.gateway : 0;
	card = told;
	configured = true;
	return true;
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void network_start_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = open_socket();

	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		say("cannot bring up the loopback interface: %s", error_text(errno));
	close(fd);
	/* As in Docker's containers, where any user may serve port 80 and ping. */
	write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

int network_open_source(void)
{
	return configured ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) : -1;
}

/* Moves the card into the namespace of this process. Returns 0, or -1 and errno. */
static int fetch(int source)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
		struct rtattr name_header;
		char name[8];
		struct rtattr process_header;
		uint32_t process;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_SETLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.name_header = { .rta_len = sizeof(struct rtattr) + sizeof(CARD), .rta_type = IFLA_IFNAME },
		.name = CARD,
		.process_header = { .rta_len = sizeof(struct rtattr) + sizeof(uint32_t),
				    .rta_type = IFLA_NET_NS_PID },
		.process = getpid(),
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = { 0 };

	/* Netlink sends the answer before write returns. */
	if (write(source, &request, sizeof(request)) < 0 || read(source, &answer, sizeof(answer)) < 0)
		return -1;
	errno = -answer.error.error;
	return errno ? -1 : 0;
}

static struct sockaddr internet_address(uint32_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { address } };
	struct sockaddr any;

	memcpy(&any, &in, sizeof(any));
	return any;
}

static struct rtentry default_route(uint32_t gateway)
{
	return (struct rtentry){ .rt_dst = internet_address(0),
				 .rt_genmask = internet_address(0),
				 .rt_gateway = internet_address(gateway),
				 .rt_flags = RTF_UP | RTF_GATEWAY };
}

/* The card has another network. Of that before it forgets the gateway, and addresses and routers of IPv6. */
static void leave_network(int fd)
{
	struct rtentry route = default_route(gateway_before);

	if (!gateway_before)
		return;
	ioctl(fd, SIOCDELRT, &route);
	/* IPv6 begins anew, and asks for routers. */
	write_file("/proc/sys/net/ipv6/conf/" CARD "/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv6/conf/" CARD "/disable_ipv6", "0");
}

/* Returns 0, or -1 and errno. */
static int bring_up(int fd)
{
	struct ifreq address = { .ifr_name = CARD, .ifr_addr = internet_address(card.address) };
	struct ifreq mask = { .ifr_name = CARD,
			      .ifr_netmask = internet_address(__builtin_bswap32(~0ul << (32 - card.prefix))) };
	struct ifreq up = { .ifr_name = CARD, .ifr_flags = IFF_UP | IFF_RUNNING };
	struct rtentry route = default_route(card.gateway);

	if (ioctl(fd, SIOCSIFADDR, &address) < 0 || ioctl(fd, SIOCSIFNETMASK, &mask) < 0 ||
	    ioctl(fd, SIOCSIFFLAGS, &up) < 0)
		return -1;
	/* The route stays if the address does. */
	return ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST ? -1 : 0;
}

void network_move_card(int source)
{
	if (source < 0)
		return;
	/* ENODEV: it is in this namespace already, or with another container, or there is none. */
	if (fetch(source) < 0 && errno != ENODEV)
		say("cannot move the network card: %s", error_text(errno));
	close(source);
}

const struct network *network_take_card(int source)
{
	if (source < 0)
		return NULL;
	network_move_card(source);
	/* Nobody else on the link has an IPv6 address made of this hardware address: use it at once. */
	write_file("/proc/sys/net/ipv6/conf/" CARD "/accept_dad", "0");

	int fd = open_socket();

	leave_network(fd);

	int started = bring_up(fd);

	if (started < 0 && errno != ENODEV)
		say("cannot bring up the network card: %s", error_text(errno));
	close(fd);
	return started < 0 ? NULL : &card;
}

char *network_address_text(uint32_t address, char text[ADDRESS_SIZE])
{
	const uint8_t *bytes = (const uint8_t *)&address;

	*text = 0;
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			strlcat(text, ".", ADDRESS_SIZE);
		utoa_r(bytes[i], text + strlen(text));
	}
	return text;
}

/*
 * Sends frames as a hostile guest makes them, past its own kernel:
 *
 *     raw-frames ADDRESS…
 *
 * To each address it sends what its network must refuse, and waits for the answer: "ADDRESS PROTOCOL
 * ANSWER MICROSECONDS", where the answer is "reset", "reply", "ICMP CODE" or "none". Then it sends frames
 * that must go nowhere, without waiting: with another source, fragments, options and wrong lengths. At the
 * end it prints "sent COUNT".
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { PATIENCE = 1000, PORT = 80, GUEST_PORT = 4000, PAYLOAD = 20, MAX_OPTIONS = 40 };

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	uint8_t rest[MAX_OPTIONS + PAYLOAD];
} __attribute__((packed));

static const uint8_t GUEST_MAC[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t GATEWAY_MAC[] = { 0x52, 0x55, 0x0a, 0, 2, 2 };

static int sock;
static unsigned sent;

static uint16_t checksum(const void *data, unsigned size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (unsigned at = 0; at < size; at += 2)
		sum += bytes[at] << 8 | bytes[at + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Every datagram has room for a TCP header. Ports are at the same place in TCP and UDP. */
static struct frame make(uint32_t to, uint8_t protocol)
{
	struct frame f = {
		.ethernet = { .ether_type = htons(ETHERTYPE_IP) },
		.ip = {
			.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol,
			.tot_len = htons(sizeof(struct iphdr) + PAYLOAD),
			.saddr = inet_addr("10.0.2.15"), .daddr = to,
		},
	};
	struct tcphdr tcp = { .source = htons(GUEST_PORT), .dest = htons(PORT), .doff = 5, .syn = 1 };
	struct udphdr udp = { .source = htons(GUEST_PORT), .dest = htons(PORT), .len = htons(PAYLOAD) };
	struct icmphdr icmp = { .type = ICMP_ECHO };

	memcpy(f.ethernet.ether_dhost, GATEWAY_MAC, ETH_ALEN);
	memcpy(f.ethernet.ether_shost, GUEST_MAC, ETH_ALEN);
	if (protocol == IPPROTO_TCP)
		memcpy(f.rest, &tcp, sizeof(tcp));
	else if (protocol == IPPROTO_UDP)
		memcpy(f.rest, &udp, sizeof(udp));
	else
		memcpy(f.rest, &icmp, sizeof(icmp));
	if (protocol == IPPROTO_ICMP)
		((struct icmphdr *)f.rest)->checksum = checksum(f.rest, PAYLOAD);
	return f;
}

/* Sends the first bytes of a frame, with a right checksum in its IP header. */
static void send_frame(struct frame *f, unsigned size)
{
	unsigned header = f->ip.ihl * 4;

	f->ip.check = 0;
	f->ip.check = checksum(&f->ip, header < sizeof(f->ip) ? sizeof(f->ip) : header);
	if (send(sock, f, size, 0) != (ssize_t)size) {
		perror("send");
		exit(1);
	}
	sent++;
}

static unsigned size_of(const struct frame *f)
{
	return sizeof(f->ethernet) + ntohs(f->ip.tot_len);
}

/* Whether a frame answers one to the address. */
static int is_answer(const struct frame *f, uint32_t to, char *answer)
{
	const struct icmphdr *icmp = (const void *)f->rest;
	const struct iphdr *quoted = (const void *)(icmp + 1);
	const struct tcphdr *tcp = (const void *)f->rest;

	if (memcmp(f->ethernet.ether_shost, GATEWAY_MAC, ETH_ALEN) != 0)
		return 0;
	if (f->ip.protocol == IPPROTO_TCP && f->ip.saddr == to && tcp->rst)
		return sprintf(answer, "reset");
	if (f->ip.protocol == IPPROTO_ICMP && f->ip.saddr == to && icmp->type == ICMP_ECHOREPLY)
		return sprintf(answer, "reply");
	if (f->ip.protocol == IPPROTO_ICMP && icmp->type == ICMP_DEST_UNREACH && quoted->daddr == to)
		return sprintf(answer, "ICMP %u", icmp->code);
	return 0;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void expect_refusal(uint32_t to, const char *name, uint8_t protocol, const char *title, int may_be_silent)
{
	struct frame f = make(to, protocol), received;
	struct pollfd waiting = { .fd = sock, .events = POLLIN };
	char answer[32] = "none";
	double start = now();

	send_frame(&f, size_of(&f));
	while (!may_be_silent && poll(&waiting, 1, PATIENCE) > 0) {
		if (recv(sock, &received, sizeof(received), 0) > 0 && is_answer(&received, to, answer))
			break;
	}
	printf("%s %s %s %.0f\n", name, title, answer, now() - start);
}

/* Frames that must go nowhere, wherever they lead. */
static void send_malformed(uint32_t to, uint8_t protocol)
{
	static const uint8_t SOURCE_ROUTE[] = { 131, 7, 4, 93, 184, 216, 34, 0 };
	struct frame f = make(to, protocol);
	unsigned size = size_of(&f);

	f.ip.saddr = inet_addr("9.9.9.9");
	send_frame(&f, size);
	f = make(to, protocol);
	f.ethernet.ether_shost[5]++;
	send_frame(&f, size);
	f = make(to, protocol);
	f.ethernet.ether_dhost[5]++;
	send_frame(&f, size);
	f = make(to, protocol);
	f.ip.frag_off = htons(IP_MF);
	send_frame(&f, size);
	f.ip.frag_off = htons(1);
	send_frame(&f, size);
	f = make(to, protocol);
	f.ip.ihl = 7;
	f.ip.tot_len = htons(sizeof(f.ip) + sizeof(SOURCE_ROUTE) + PAYLOAD);
	memmove(f.rest + sizeof(SOURCE_ROUTE), f.rest, PAYLOAD);
	memcpy(f.rest, SOURCE_ROUTE, sizeof(SOURCE_ROUTE));
	send_frame(&f, size_of(&f));
	for (unsigned short_size = sizeof(f.ethernet); short_size < size; short_size++) {
		f = make(to, protocol);
		send_frame(&f, short_size);
	}
	f = make(to, protocol);
	f.ip.tot_len = 0xffff;
	send_frame(&f, size);
	f.ip.tot_len = htons(sizeof(f.ip) - 1);
	send_frame(&f, size);
	f = make(to, protocol);
	f.ip.ihl = 4;
	send_frame(&f, size);
	f = make(to, protocol);
	f.ip.version = 6;
	send_frame(&f, size);
}

int main(int count, char **names)
{
	static const uint8_t PROTOCOLS[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	static const char *const TITLES[] = { "TCP", "UDP", "ICMP" };
	struct sockaddr_ll card = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	card.sll_ifindex = if_nametoindex("eth0");
	sock = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (sock < 0 || bind(sock, (struct sockaddr *)&card, sizeof(card)) < 0) {
		perror("packet socket");
		return 1;
	}
	/* The network takes the guest's address from its first frame. */
	for (int i = 1; i < count; i++) {
		uint32_t to = inet_addr(names[i]);
		int is_multicast = (ntohl(to) >> 28) >= 14;

		for (unsigned p = 0; p < 3; p++)
			expect_refusal(to, names[i], PROTOCOLS[p], TITLES[p], is_multicast && p > 0);
	}
	for (int i = 1; i < count; i++)
		for (unsigned p = 0; p < 3; p++)
			send_malformed(inet_addr(names[i]), PROTOCOLS[p]);
	for (unsigned p = 0; p < 3; p++)
		send_malformed(inet_addr("93.184.216.34"), PROTOCOLS[p]);
	printf("sent %u\n", sent);
	return 0;
}

/*
 * Talks to the server of bench/net-server.mjs over one TCP connection, and prints the time that this takes:
 *
 *     net down ADDRESS PORT BYTES     reads, 64 KiB at a time
 *     net up ADDRESS PORT BYTES       writes, 64 KiB at a time
 *     net echo ADDRESS PORT COUNT     sends 64 bytes and waits for them, COUNT times
 *
 * Prints "begin" when it is connected, and at the end "net ok MICROSECONDS RETRANSMITTED RECEIVED SENT": the
 * segments that the guest sent again, and the frames that it dropped when it received and sent them. It sets
 * up the network card before. As PID 1 it also powers off at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/route.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/if.h>

#define CARD "eth0"

enum { PIECE = 64 << 10, MESSAGE = 64 };

static char buffer[PIECE];

static void fail(const char *what)
{
	printf("cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

static void set_address(int fd, unsigned long field, const char *text)
{
	struct ifreq request = { .ifr_name = CARD };
	struct sockaddr_in address = address_of(text, 0);

	memcpy(&request.ifr_addr, &address, sizeof(address));
	if (ioctl(fd, field, &request) < 0)
		fail("set the card's address");
}

/* The addresses are those of QEMU's user network and of our own. */
static void set_up_card(void)
{
	struct ifreq request = { .ifr_name = CARD, .ifr_flags = IFF_UP | IFF_RUNNING };
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in any = address_of("0.0.0.0", 0), gateway = address_of("10.0.2.2", 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	set_address(fd, SIOCSIFADDR, "10.0.2.15");
	set_address(fd, SIOCSIFNETMASK, "255.255.255.0");
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("bring up the card");
	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	memcpy(&route.rt_gateway, &gateway, sizeof(gateway));
	if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
		fail("set the route");
	close(fd);
}

static int connect_to(const char *host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("connect");
	return fd;
}

static void read_all(int fd, uint64_t size)
{
	while (size > 0) {
		ssize_t count = read(fd, buffer, size < PIECE ? size : PIECE);

		if (count <= 0)
			fail("read");
		size -= count;
	}
}

static void write_all(int fd, uint64_t size)
{
	while (size > 0) {
		ssize_t count = write(fd, buffer, size < PIECE ? size : PIECE);

		if (count <= 0)
			fail("write");
		size -= count;
	}
}

static void exchange(int fd, const char *mode, uint64_t amount)
{
	if (strcmp(mode, "down") == 0) {
		read_all(fd, amount);
	} else if (strcmp(mode, "up") == 0) {
		write_all(fd, amount);
		read_all(fd, 1);
	} else {
		while (amount--) {
			write_all(fd, MESSAGE);
			read_all(fd, MESSAGE);
		}
	}
}

static unsigned long retransmitted(void)
{
	FILE *file = fopen("/proc/net/snmp", "r");
	char line[512];
	unsigned long count = 0;

	/* The second line of TCP has the values; the twelfth is the segments sent again. */
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "Tcp: %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %lu", &count);
	return count;
}

static unsigned long counter(const char *name)
{
	char path[64];
	unsigned long count = 0;

	snprintf(path, sizeof(path), "/sys/class/net/" CARD "/statistics/%s", name);

	FILE *file = fopen(path, "r");

	if (!file || fscanf(file, "%lu", &count) != 1)
		fail("read the card's counters");
	return count;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int count, char **arguments)
{
	/* The kernel appends the options that are built into it. */
	if (count < 5)
		return 2;
	if (getpid() == 1) {
		mkdir("/proc", 0755);
		mkdir("/sys", 0755);
		mount("proc", "/proc", "proc", 0, "");
		mount("sysfs", "/sys", "sysfs", 0, "");
	}
	set_up_card();

	int fd = connect_to(arguments[2], atoi(arguments[3]));

	/* The server learns what to do. */
	dprintf(fd, "%s %s\n", arguments[1], arguments[4]);

	puts("begin");
	fflush(stdout);

	double start = now();

	exchange(fd, arguments[1], strtoull(arguments[4], NULL, 10));

	double time = now() - start;

	printf("net ok %.0f %lu %lu %lu\n", time, retransmitted(), counter("rx_dropped") + counter("rx_errors"),
	       counter("tx_dropped") + counter("tx_errors"));
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}

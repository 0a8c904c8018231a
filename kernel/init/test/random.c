/*
 * Prints the time in milliseconds and what Linux chooses at random, one line each, with the sequence number
 * and the port of a connection, which only root may watch.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void print_bytes(const char *name, const unsigned char *bytes, int length)
{
	printf("%s ", name);
	for (int i = 0; i < length; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void print_file(const char *path, int length)
{
	unsigned char bytes[64];
	FILE *file = fopen(path, "r");

	if (!file || fread(bytes, 1, length, file) != (size_t)length)
		exit(1);
	print_bytes(path, bytes, length);
	fclose(file);
}

/* Connects to a server of its own, and reads the first segment. */
static void print_connection(void)
{
	struct {
		unsigned char ip[20];
		struct tcphdr tcp;
	} segment;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);

	if (bind(server, (void *)&address, length) || listen(server, 1) || getsockname(server, (void *)&address, &length) ||
	    connect(client, (void *)&address, length) || read(raw, &segment, sizeof(segment)) < (int)sizeof(segment))
		exit(1);
	printf("port %u\n", ntohs(address.sin_port));
	printf("sequence %u\n", ntohl(segment.tcp.seq));
}

int main(void)
{
	unsigned char bytes[32];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	printf("time %lld\n", now.tv_sec * 1000ll + now.tv_nsec / 1000000);
	print_bytes("AT_RANDOM", (void *)getauxval(AT_RANDOM), 16);
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return 1;
	print_bytes("getrandom", bytes, sizeof(bytes));
	print_file("/dev/urandom", 16);
	print_file("/dev/random", 16);
	print_file("/proc/sys/kernel/random/boot_id", 36);
	print_file("/proc/sys/kernel/random/uuid", 36);
	printf("stack %p\n", (void *)bytes);
	printf("map %p\n", mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	printf("heap %p\n", sbrk(0));
	print_connection();
	return 0;
}

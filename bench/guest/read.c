/*
 * Reads a disk, with or without the guest's cache, and prints the time that this takes:
 *
 *     read sequential DISK BYTES     through the cache, 128 KiB at a time, from the beginning
 *     read random DISK COUNT         COUNT random blocks of 4 KiB from the whole disk, one at a time, no
 * cache
 *
 * Prints "read ok MICROSECONDS SUM", where SUM adds the first word of each block. As PID 1 it also mounts
 * /dev before, and powers off at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

enum { BLOCK = 4096, PIECE = 128 << 10 };

static uint64_t sum;

static void fail(const char *what)
{
	printf("cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_at(int fd, size_t size, uint64_t offset)
{
	static char buffer[PIECE] __attribute__((aligned(BLOCK)));

	if (pread(fd, buffer, size, offset) != (ssize_t)size)
		fail("read the disk");
	for (size_t at = 0; at < size; at += BLOCK) {
		uint64_t word;

		memcpy(&word, buffer + at, sizeof(word));
		sum += word;
	}
}

static void read_randomly(int fd, uint64_t count)
{
	uint64_t size, state = 88172645463325252;

	if (ioctl(fd, BLKGETSIZE64, &size) < 0)
		fail("measure the disk");
	while (count--) {
		/* xorshift64, so that every run reads the same blocks. */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		read_at(fd, BLOCK, state % (size / BLOCK) * BLOCK);
	}
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
	if (count < 4)
		return 2;
	if (getpid() == 1)
		mount("devtmpfs", "/dev", "devtmpfs", 0, "");

	int random = strcmp(arguments[1], "random") == 0;
	uint64_t amount = strtoull(arguments[3], NULL, 10);
	int fd = open(arguments[2], O_RDONLY | (random ? O_DIRECT : 0));

	if (fd < 0)
		fail("open the disk");

	double start = now();

	if (random)
		read_randomly(fd, amount);
	else
		for (uint64_t at = 0; at < amount; at += PIECE)
			read_at(fd, PIECE, at);
	printf("read ok %.0f %lx\n", now() - start, sum);
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}

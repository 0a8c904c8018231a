/*
 * Reads or writes a disk, with or without the guest's cache, and prints the time that this takes:
 *
 *     disk sequential DISK BYTES        reads through the cache, 128 KiB at a time, from the beginning
 *     disk random DISK COUNT            reads COUNT random blocks of 4 KiB from the whole disk, one at a
 *                                       time, no cache
 *     disk write DISK BYTES             writes as `sequential` reads, and then syncs
 *     disk write-random DISK COUNT      writes as `random` reads, and then syncs
 *     disk write-synced DISK COUNT      writes like a database: each block of 4 KiB is synced
 *
 * Prints "disk ok MICROSECONDS SUM", where SUM adds the first word of each block. As PID 1 it also mounts
 * /dev before, and powers off at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

static void add(const char *buffer, size_t size)
{
	for (size_t at = 0; at < size; at += BLOCK) {
		uint64_t word;

		memcpy(&word, buffer + at, sizeof(word));
		sum += word;
	}
}

static void transfer(int fd, bool writes, size_t size, uint64_t offset)
{
	static char buffer[PIECE] __attribute__((aligned(BLOCK)));
	ssize_t done;

	if (writes)
		for (size_t at = 0; at < size; at += BLOCK) {
			uint64_t word = offset + at + 1;

			memcpy(buffer + at, &word, sizeof(word));
		}
	done = writes ? pwrite(fd, buffer, size, offset) : pread(fd, buffer, size, offset);
	if (done != (ssize_t)size)
		fail("use the disk");
	add(buffer, size);
}

static void sync_disk(int fd)
{
	if (fdatasync(fd) < 0)
		fail("sync the disk");
}

static void transfer_randomly(int fd, bool writes, bool syncs, uint64_t count)
{
	uint64_t size, state = 88172645463325252;

	if (ioctl(fd, BLKGETSIZE64, &size) < 0)
		fail("measure the disk");
	while (count--) {
		/* xorshift64, so that every run uses the same blocks. */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		transfer(fd, writes, BLOCK, state % (size / BLOCK) * BLOCK);
		if (syncs)
			sync_disk(fd);
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

	const char *mode = arguments[1];
	bool writes = strncmp(mode, "write", 5) == 0;
	bool sequential = strcmp(mode, "sequential") == 0 || strcmp(mode, "write") == 0;
	uint64_t amount = strtoull(arguments[3], NULL, 10);
	int fd = open(arguments[2], (writes ? O_RDWR : O_RDONLY) | (sequential ? 0 : O_DIRECT));

	if (fd < 0)
		fail("open the disk");

	double start = now();

	if (sequential)
		for (uint64_t at = 0; at < amount; at += PIECE)
			transfer(fd, writes, PIECE, at);
	else
		transfer_randomly(fd, writes, strcmp(mode, "write-synced") == 0, amount);
	if (writes)
		sync_disk(fd);
	printf("disk ok %.0f %lx\n", now() - start, sum);
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}

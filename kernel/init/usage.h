#ifndef INIT_USAGE_H
#define INIT_USAGE_H

/* In bytes; as the USAGE message has them. */
struct usage {
	uint64_t memory_total, memory_available;
	uint64_t disk_total, disk_used;
};

/* Of the machine's memory, and of the writable disk of the container with this supervisor, 0 for none. */
struct usage usage_measure(pid_t supervisor);

#endif

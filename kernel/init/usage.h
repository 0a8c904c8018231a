#ifndef INIT_USAGE_H
#define INIT_USAGE_H

/* Figures in bytes, in the form of the USAGE message. */
struct usage {
	uint64_t memory_total, memory_available;
	uint64_t disk_total, disk_used;
};

/* Measures the machine's memory, and the writable disk of the container with this supervisor (0 for none). */
struct usage usage_measure(pid_t supervisor);

#endif

#ifndef INIT_USAGE_H
#define INIT_USAGE_H

/* Figures in bytes and milliseconds, in the form of the USAGE message. */
struct usage {
	uint64_t memory_total, memory_available;
	uint64_t disk_total, disk_used;
	/* Since the boot. Each CPU is idle for a time of its own, and this is their sum. */
	uint64_t uptime, idle;
};

/*
 * Measures the machine's memory and CPUs, and the writable disk of the container with this supervisor (0 for
 * none).
 */
struct usage usage_measure(pid_t supervisor);

#endif

/*
 * Parts of a container that are the same for all. The first container's can be made before it is known, so
 * that a saved state has them.
 */
#ifndef INIT_PARTS_H
#define INIT_PARTS_H

#include <stdbool.h>

/* Descriptors: a network namespace, and mounts that are not attached yet. */
struct parts {
	/* With a loopback interface, and /sys as it is seen there. */
	int network, system;
	/* /dev without terminals and message queues, which are other file systems. */
	int devices;
	int terminals, channels;
};

/* The name of the control group that is made in advance. No container has it. */
#define PREPARED_GROUP "+"

/* Makes the parts, the control group and all else that can be made in advance. */
void parts_prepare(void);

bool parts_are_prepared(void);

/* In a child of init: returns the prepared parts, or new ones. Exits with an error text if it cannot. */
const struct parts *parts_take(void);

/* Leaves the parts to a child. */
void parts_forget(void);

/* Attaches a mount to a folder. Returns whether that worked. */
bool parts_attach(int mount, const char *path);

/* Makes the nodes of devices in a folder that is the container's /dev. Returns whether that worked. */
struct device {
	/* Below /dev. */
	const char *name;
	unsigned major, minor;
};
bool make_devices(const char *folder, const struct device *devices, unsigned count);

#endif

/* The file systems of a container, on the machine's disks. */
#ifndef INIT_DISKS_H
#define INIT_DISKS_H

#include <stdbool.h>

/* Where they are mounted: the disk for what is written, the image with a writable layer above it, and a new instance of devpts. */
#define WRITABLE_DISK "/run/writable"
#define CONTAINER_ROOT "/run/root"
#define CONTAINER_TERMINALS "/run/pts"

/* Mounts them, the disks by their serial numbers, in the mount namespace of the caller. Returns false, and says why, when that fails. */
bool mount_disks(const char *image, const char *scratch);

#endif

/* The file systems of a container, on the machine's disks. */
#ifndef INIT_DISKS_H
#define INIT_DISKS_H

#include <stdbool.h>

/*
 * The mount points of the image, of the writable disk, of both as layers, of a new devpts, of the folder for
 * channels, and of the device with shared folders. UPPER is the writable layer.
 */
#define IMAGE "/run/image"
#define WRITABLE_DISK "/run/writable"
#define UPPER WRITABLE_DISK "/upper"
#define CONTAINER_ROOT "/run/root"
#define CONTAINER_TERMINALS "/run/pts"
#define CONTAINER_CHANNELS "/run/channels"
#define CONTAINER_SHARES "/run/shares"

/* The mount point of the disk with the emulator of another processor, and the only file on it. */
#define EMULATOR_DISK "/run/emulator"
#define EMULATOR EMULATOR_DISK "/qemu"

/* Looks for disks, and prepares the kernel for their file systems. */
void disks_prepare(void);

/*
 * Mounts the disks in the caller's mount namespace, by their serial numbers. A writable disk that is kept has
 * what earlier containers have written, in any state that a crash can leave. Returns false and prints the
 * reason on failure.
 */
bool mount_disks(const char *image, const char *writable, bool kept);

/* Mounts the disk with the emulator of another processor. Returns false and prints the reason on failure. */
bool mount_emulator(const char *serial);

/* Mounts the device with shared folders in the caller's mount namespace. Returns whether that worked. */
bool mount_shares(void);

/*
 * Returns a descriptor that is readable when the file system of the writable disk has found an error, after
 * which it is read-only.
 */
int watch_writable_disk(void);

#endif

#ifndef INIT_SYSTEM_H
#define INIT_SYSTEM_H

/* Makes descriptors 0, 1 and 2 exist even on a machine without a console. */
void open_standard_streams(void);

/*
 * Replaces the first file system by one that a container can leave, because pivot_root refuses the kernel's
 * own.
 */
void enter_root(void);

/* Mounts the kernel's file systems (/proc, /sys, /dev, cgroups) and the temporary ones. */
void mount_filesystems(void);

/* Sets the kernel options that protect users from each other and restrict the kernel's log. */
void protect_users(void);

/* Unmounts all file systems that can be unmounted, newest first, and makes the others read-only. */
void unmount_filesystems(void);

#endif

/* Refuses some system calls to a container's processes. */
#ifndef INIT_SECCOMP_H
#define INIT_SECCOMP_H

#include <stdbool.h>

/*
 * Installs the filter for this process and its descendants. Needs CAP_SYS_ADMIN, because it does not set
 * no_new_privs, so that programs such as su work. Returns 0, or -1 and errno.
 */
int filter_system_calls(bool emulated);

#endif

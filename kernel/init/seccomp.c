#include <sys/socket.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "seccomp.h"

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)

/* Instructions at the start of the filter. */
enum { FOR_EMULATED = 3 };

/* Skips the next `count` instructions unless the loaded word is `value`. */
#define UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE(number) UNLESS(number, 1), RETURN(REFUSED)

/*
 * The part of Docker's default profile that capabilities and the kernel's configuration do not enforce
 * already. The kernel remembers the system calls that are allowed with any arguments, and runs the filter
 * only for the others.
 */
static struct sock_filter filter[] = {
	/*
	 * For emulated programs only: QEMU 10.0 moves vector registers where vtype may be invalid (V 1.0, 3.4.4),
	 * and all vector instructions are interpreted. Without this call it does without them.
	 */
	LOAD(nr),
	UNLESS(__NR_riscv_hwprobe, 1),
	RETURN(SECCOMP_RET_ERRNO | ENOSYS),
	/* For all. */
	LOAD(nr),
	/* No filter checks the operations of a ring, and one of them makes sockets. */
	REFUSE(__NR_io_uring_setup),
	REFUSE(__NR_io_uring_enter),
	REFUSE(__NR_io_uring_register),
	UNLESS(__NR_socket, 3),
	/* The kernel uses the lower half of the register as the family. */
	LOAD(args[0]),
	UNLESS(AF_VSOCK, 1),
	RETURN(REFUSED),
	RETURN(SECCOMP_RET_ALLOW),
};

int filter_system_calls(bool emulated)
{
	const unsigned skipped = emulated ? 0 : FOR_EMULATED;
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(*filter) - skipped,
		.filter = filter + skipped,
	};

	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

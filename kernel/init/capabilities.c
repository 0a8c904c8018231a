#include <linux/capability.h>
#include <linux/prctl.h>

#include "capabilities.h"

#define BIT(capability) (1ul << (capability))

/* The capabilities that Docker leaves to a container. */
static const uint64_t kept = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
			     BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
			     BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_RAW) | BIT(CAP_MKNOD) |
			     BIT(CAP_SYS_CHROOT) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_SETFCAP);

void bound_capabilities(void)
{
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (!(kept & BIT(capability)))
			syscall(__NR_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t part = kept >> (32 * i);

		data[i] = (struct __user_cap_data_struct){ .effective = part, .permitted = part };
	}
	bound_capabilities();
	return syscall(__NR_capset, &header, data);
}

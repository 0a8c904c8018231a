#include <sys/socket.h>
#include <linux/if.h>
#include <linux/sockios.h>

#include "console.h"
#include "files.h"
#include "system.h"

void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		say("cannot bring up the loopback interface: %s", error_text(errno));
	close(fd);
	/* As in Docker's containers, where any user may serve port 80 and ping. */
	write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

#include "channel.h"
#include "report.h"
#include "vsock.h"

void report(enum event_type type, uint32_t subject, uint32_t detail)
{
	const uint32_t event[] = { type, subject, detail };

	if (write_all(REPORTS, event, sizeof(event)) < 0)
		channel_leave();
}

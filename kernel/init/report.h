/* What the process that serves connections tells the host. */
#ifndef INIT_REPORT_H
#define INIT_REPORT_H

#include "message.h"

/* The descriptor that the host reads. */
enum { REPORTS = 1 };

/* Reports an event, which concerns a connection or a port. Ends this process if the host has gone. */
void report(enum event_type, uint32_t subject, uint32_t detail);

#endif

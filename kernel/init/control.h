/* The control stream: framed messages between the host and init. */
#ifndef INIT_CONTROL_H
#define INIT_CONTROL_H

#include "message.h"
#include "usage.h"

/* Connects and says HELLO. Returns the descriptor to poll, or -1 and errno. */
int control_connect(void);

/*
 * Reads the available bytes and passes each complete message to handle. Returns 0, or -1 if the host has
 * closed the stream or sent a malformed frame.
 */
int control_receive(void (*handle)(enum message_type, struct message));

void control_send_started(uint32_t process_id);

/* reason is for the user. It is empty if the process itself has reported it, or if there is none. */
void control_send_exit(uint32_t process_id, uint32_t status, const char *reason);
void control_send_usage(struct usage);
void control_send_suspended(void);

#endif

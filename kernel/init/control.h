/* The control stream: framed messages between the host and init. */
#ifndef INIT_CONTROL_H
#define INIT_CONTROL_H

#include "message.h"
#include "usage.h"

/* Connects and says HELLO. Returns the descriptor to poll, or -1 and errno. */
int control_connect(void);

/*
 * Reads what has arrived and hands each whole message to handle. Returns 0, or -1 when the
 * host has closed the stream or sent a malformed frame.
 */
int control_receive(void (*handle)(enum message_type, struct message));

/* reason is for the user; empty when the process itself has said it, or there is none. */
void control_send_exit(uint32_t process_id, uint32_t status, const char *reason);
void control_send_usage(struct usage);

#endif

#ifndef INIT_RELAY_H
#define INIT_RELAY_H

#include <stdbool.h>

enum { RELAY_BUFFER = 1 << 16, MOST_RELAYS = 3 };

/* Copies what one descriptor delivers to another, without ever waiting, until either is closed. */
struct relay {
	/* They are -1 when the relay is over. */
	int from, to;
	/* Bytes that the receiver has not taken yet. */
	size_t at, length;
	char buffer[RELAY_BUFFER];
};

/* Both descriptors become the relay's, and do not block any more. */
void relay_begin(struct relay *, int from, int to);

/* Returns the event after which the relay can go on. */
struct pollfd relay_event(const struct relay *);

/* Copies after such an event. Returns the number of bytes that it has taken from the sender. */
size_t relay_copy(struct relay *);

void relay_end(struct relay *);

/*
 * Copies what the senders have written already, and waits until the receivers have taken it. A sender that
 * goes on writing is not waited for.
 */
void relays_drain(struct relay *, unsigned count);

/* Lets a process of its own go on with the relays that are not over, and holds no other descriptors. */
void relays_leave(struct relay *, unsigned count);

#endif

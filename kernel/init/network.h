/* Network interfaces: the loopback interface of each network namespace, and the network card. */
#ifndef INIT_NETWORK_H
#define INIT_NETWORK_H

#include "specification.h"

/* Keeps the configuration of a NETWORK message. Returns whether it is well-formed. */
bool network_configure(struct message);

/* Brings up the loopback interface of the network namespace, for programs of any user. */
void network_start_loopback(void);

/*
 * Opens a socket by which a process in a new network namespace can fetch the network card from the present
 * one. Returns -1 without a configuration.
 */
int network_open_source(void);

/* Fetches the network card by that socket unless it is here already, and closes the socket. */
void network_move_card(int source);

/*
 * Fetches the network card by that socket unless it is here already, closes the socket, and configures the
 * card. The calling process is in the container's network namespace. Returns the configuration, or NULL if
 * the machine has no card, or another container has it.
 */
const struct network *network_take_card(int source);

/* Writes an address as text. Returns text. */
enum { ADDRESS_SIZE = 16 };
char *network_address_text(uint32_t address, char text[ADDRESS_SIZE]);

#endif

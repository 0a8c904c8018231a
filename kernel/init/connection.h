/* The forwarder's connections: each is a TCP connection to a server, and a stream to the host. */
#ifndef INIT_CONNECTION_H
#define INIT_CONNECTION_H

#include <stdbool.h>

/* Prepares for connections, whose events come from this epoll descriptor. */
void connections_begin(int epoll);

/*
 * Connects to a port of the network namespace and then opens the stream of that token; reports a failure as
 * REFUSED. The number is the host's.
 */
void connection_open(uint32_t id, uint32_t port, const uint8_t *token);

/* Opens the stream of that token for a client that has connected. Reports a failure as REFUSED. */
void connection_accept(uint32_t id, int client, const uint8_t *token);

/* Resets a connection, or gives up connecting. Others ignore it. */
void connection_cancel(uint32_t id);

/* Handles events of epoll, given their data. */
void connection_handle(int number, uint32_t events);

/* The servers are gone: from now on connections end with what these have sent. */
void connections_let_end(void);

unsigned connections_open(void);

#endif

#ifndef INIT_VSOCK_H
#define INIT_VSOCK_H

/* Connects a stream to a port of the host. Returns a close-on-exec descriptor, or -1 and errno. */
int vsock_connect(unsigned port);

/* In a child of init: the tokens, from a message, of the streams that this process opens. */
void streams_use(const uint8_t *tokens);

/* Starts to connect the streams of the descriptors in a set of bits, all at the same time. */
void streams_connect(unsigned set);

/* Opens the data stream for a descriptor. Returns a close-on-exec descriptor, or -1 and errno. */
int stream_open(unsigned descriptor);

/* Writes all data. Returns 0, or -1 and errno. */
int write_all(int fd, const void *data, size_t length);

#endif

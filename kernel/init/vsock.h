#ifndef INIT_VSOCK_H
#define INIT_VSOCK_H

enum { CONTROL_PORT = 1024, STREAM_PORT = 1025 };

/* Connects a stream to a port of the host. Returns a close-on-exec descriptor, or -1 and errno. */
int vsock_connect(unsigned port);

/* Opens a data stream of a process. Returns a close-on-exec descriptor, or -1 and errno. */
int stream_open(uint32_t process_id, uint32_t descriptor);

/* Writes all of it. Returns 0, or -1 and errno. */
int write_all(int fd, const void *data, size_t length);

#endif

#include "control.h"
#include "vsock.h"

enum { HEADER = sizeof(uint32_t), MAX_LENGTH = 1 << 20, MAX_PAYLOAD = sizeof(struct usage) };

static int control = -1;
static char received[HEADER + MAX_LENGTH];
static size_t received_length;

/* A host that is gone shows when we read. */
static int send_message(enum message_type type, const void *payload, size_t size)
{
	char frame[HEADER + 1 + MAX_PAYLOAD];
	uint32_t length = 1 + size;

	memcpy(frame, &length, HEADER);
	frame[HEADER] = type;
	memcpy(frame + HEADER + 1, payload, size);
	return write_all(control, frame, HEADER + length);
}

int control_connect(void)
{
	const uint32_t version = PROTOCOL_VERSION;

	control = vsock_connect(CONTROL_PORT);
	if (control < 0 || send_message(HELLO, &version, sizeof(version)) < 0)
		return -1;
	return control;
}

void control_send_exit(uint32_t process_id, uint32_t status)
{
	const uint32_t fields[] = { process_id, status };

	send_message(EXIT, fields, sizeof(fields));
}

void control_send_usage(struct usage usage)
{
	send_message(USAGE, &usage, sizeof(usage));
}

/* Handles the whole messages in the buffer. Returns the bytes they took, or -1 when malformed. */
static ssize_t handle_received(void (*handle)(enum message_type, struct message))
{
	size_t taken = 0;

	while (received_length - taken >= HEADER) {
		char *body = received + taken + HEADER;
		uint32_t length;

		memcpy(&length, received + taken, HEADER);
		if (length == 0 || length > MAX_LENGTH)
			return -1;
		if (received_length - taken - HEADER < length)
			break;
		taken += HEADER + length;
		handle((uint8_t)body[0], (struct message){ body + 1, body + length });
	}
	return taken;
}

int control_receive(void (*handle)(enum message_type, struct message))
{
	ssize_t n = read(control, received + received_length, sizeof(received) - received_length);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return -1;
	received_length += n;

	ssize_t taken = handle_received(handle);

	if (taken < 0)
		return -1;
	received_length -= taken;
	memmove(received, received + taken, received_length);
	return 0;
}

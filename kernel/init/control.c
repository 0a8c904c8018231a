#include "control.h"
#include "vsock.h"

enum { MAX_REASON = 128, MAX_PAYLOAD = 2 * sizeof(uint32_t) + MAX_REASON };

static int control = -1;
static char received[LENGTH_SIZE + MAX_LENGTH];
static size_t received_length;

/* The next read detects a missing host. */
static int send_message(enum message_type type, const void *payload, size_t size)
{
	char frame[LENGTH_SIZE + 1 + MAX_PAYLOAD];
	uint32_t length = 1 + size;

	memcpy(frame, &length, LENGTH_SIZE);
	frame[LENGTH_SIZE] = type;
	memcpy(frame + LENGTH_SIZE + 1, payload, size);
	return write_all(control, frame, LENGTH_SIZE + length);
}

int control_connect(void)
{
	const uint32_t version = PROTOCOL_VERSION;

	control = vsock_connect(CONTROL_PORT);
	if (control < 0 || send_message(HELLO, &version, sizeof(version)) < 0)
		return -1;
	return control;
}

void control_send_started(uint32_t process_id)
{
	send_message(STARTED, &process_id, sizeof(process_id));
}

void control_send_exit(uint32_t process_id, uint32_t status, const char *reason)
{
	struct {
		uint32_t process_id, status;
		char reason[MAX_REASON];
	} fields = { .process_id = process_id, .status = status };
	size_t length = strlen(reason);

	if (length >= MAX_REASON)
		length = MAX_REASON - 1;
	memcpy(fields.reason, reason, length);
	send_message(EXIT, &fields, __builtin_offsetof(__typeof__(fields), reason) + length + 1);
}

void control_send_usage(struct usage usage)
{
	send_message(USAGE, &usage, sizeof(usage));
}

void control_send_suspended(void)
{
	send_message(SUSPENDED, "", 0);
}

/* Handles the complete messages in the buffer. Returns their size, or -1 if one is malformed. */
static ssize_t handle_received(void (*handle)(enum message_type, struct message))
{
	size_t taken = 0;

	while (received_length - taken >= LENGTH_SIZE) {
		char *body = received + taken + LENGTH_SIZE;
		uint32_t length;

		memcpy(&length, received + taken, LENGTH_SIZE);
		if (length == 0 || length > MAX_LENGTH)
			return -1;
		if (received_length - taken - LENGTH_SIZE < length)
			break;
		taken += LENGTH_SIZE + length;
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

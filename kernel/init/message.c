#include "message.h"

static bool read_bytes(struct message *m, void *to, size_t length)
{
	if ((size_t)(m->end - m->at) < length)
		return false;
	memcpy(to, m->at, length);
	m->at += length;
	return true;
}

bool read_u8(struct message *m, uint8_t *value)
{
	return read_bytes(m, value, sizeof(*value));
}

bool read_u32(struct message *m, uint32_t *value)
{
	return read_bytes(m, value, sizeof(*value));
}

bool read_u64(struct message *m, uint64_t *value)
{
	return read_bytes(m, value, sizeof(*value));
}

const uint8_t *read_tokens(struct message *m)
{
	const char *tokens = m->at;

	if (m->end - m->at < MAX_STREAMS * TOKEN_SIZE)
		return NULL;
	m->at += MAX_STREAMS * TOKEN_SIZE;
	return (const uint8_t *)tokens;
}

char *read_string(struct message *m)
{
	char *start = m->at;

	for (char *c = start; c < m->end; c++) {
		if (*c == 0) {
			m->at = c + 1;
			return start;
		}
	}
	return NULL;
}

char **read_strings(struct message *m)
{
	uint32_t count;
	char **strings;

	/* Every string takes at least one byte, so the message's length bounds the count. */
	if (!read_u32(m, &count) || count > (size_t)(m->end - m->at))
		return NULL;
	strings = calloc(count + 1, sizeof(*strings));
	for (uint32_t i = 0; strings && i < count; i++) {
		strings[i] = read_string(m);
		if (!strings[i])
			return NULL;
	}
	return strings;
}

#include "record.h"

_Static_assert(sizeof(struct record) == RECORD_SIZE, "a record has padding");

size_t record_write(char *to, const struct record *record, const char *name, const char *target)
{
	size_t name_size = strlen(name) + 1, target_size = strlen(target) + 1;

	memcpy(to, record, RECORD_SIZE);
	memcpy(to + RECORD_SIZE, name, name_size);
	memcpy(to + RECORD_SIZE + name_size, target, target_size);
	return RECORD_SIZE + name_size + target_size;
}

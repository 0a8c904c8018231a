#include "specification.h"

bool read_specification(struct message *m, struct specification *s)
{
	return read_u8(m, &s->flags) && read_u32(m, &s->columns) && read_u32(m, &s->rows) &&
	       (s->arguments = read_strings(m)) && s->arguments[0] && (s->environment = read_strings(m)) &&
	       (s->directory = read_string(m)) && (s->user = read_string(m)) &&
	       (s->hostname = read_string(m)) && (s->volumes = read_strings(m));
}

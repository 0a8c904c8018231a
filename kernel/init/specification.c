#include "specification.h"

static bool read_process(struct message *m, struct specification *s)
{
	return read_u8(m, &s->flags) && read_u32(m, &s->columns) && read_u32(m, &s->rows) &&
	       (s->arguments = read_strings(m)) && s->arguments[0] && (s->environment = read_strings(m)) &&
	       (s->directory = read_string(m)) && (s->user = read_string(m));
}

static size_t count(char **strings)
{
	size_t length = 0;

	while (strings[length])
		length++;
	return length;
}

bool read_container(struct message *m, struct specification *s)
{
	s->failure = NO_CONTAINER;
	return (s->image = read_string(m)) && (s->scratch = read_string(m)) && (s->emulator = read_string(m)) &&
	       read_u8(m, &s->machine) && read_process(m, s) &&
	       (s->hostname = read_string(m)) && (s->volumes = read_strings(m)) &&
	       (s->devices = read_strings(m)) && (s->mounts = read_strings(m)) && count(s->mounts) % MOUNT_FIELDS == 0;
}

bool read_exec(struct message *m, struct specification *s)
{
	s->failure = CANNOT_RUN;
	return read_process(m, s);
}

bool read_file_request(enum message_type type, struct message *m, struct file_request *r)
{
	bool has_flags = type == STAT_FILE || type == MAKE_FOLDER || type == REMOVE_FILE || type == RENAME_FILE ||
			 type == WATCH_FILE;
	bool has_mode = type == WRITE_FILE || type == MAKE_FOLDER;

	if (type == EXPORT)
		return (r->image = read_string(m)) && (r->writable = read_string(m));
	return (!has_flags || read_u8(m, &r->flags)) && (!has_mode || read_u32(m, &r->mode)) &&
	       (r->path = read_string(m)) && (type != RENAME_FILE || (r->new_path = read_string(m)));
}

bool read_network(struct message *m, struct network *n)
{
	return read_u32(m, &n->address) && read_u32(m, &n->gateway) && read_u32(m, &n->name_server) &&
	       read_u8(m, &n->prefix) && n->prefix > 0 && n->prefix <= 32;
}

bool read_resumption(struct message *m, struct resumption *r)
{
	if (!read_u64(m, &r->tick) || !read_u64(m, &r->time) || m->end - m->at < ENTROPY_SIZE)
		return false;
	r->entropy = (uint8_t *)m->at;
	return true;
}

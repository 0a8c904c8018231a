/*
 * Passes standard input to init's control stream and prints every message as init reads it. With the argument
 * "send" it prints the bytes of every message that init sends, and with "records" those of records of files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../control.h"
#include "../record.h"
#include "../specification.h"
#include "../vsock.h"

int vsock_connect(unsigned port)
{
	(void)port;
	return 0;
}

/* Whether init sends instead of receiving. */
static bool sends;

int write_all(int fd, const void *data, size_t length)
{
	(void)fd;
	return !sends || fwrite(data, length, 1, stdout) == 1 ? 0 : -1;
}

static void print_bytes(const uint8_t *bytes, int count)
{
	for (int i = 0; i < count; i++)
		printf("%02x", bytes[i]);
}

/* The common start of all requests for processes. */
static bool print_head(struct message *m)
{
	uint32_t id;
	const uint8_t *tokens = read_u32(m, &id) ? read_tokens(m) : NULL;

	if (!tokens)
		return false;
	printf(" %u ", id);
	print_bytes(tokens, MAX_STREAMS * TOKEN_SIZE);
	return true;
}

static void print_strings(char **strings)
{
	for (char **s = strings; *s; s++)
		printf(" [%s]", *s);
	free(strings);
}

static void print_run(struct message m)
{
	uint8_t flags;

	if (!print_head(&m) || !read_u8(&m, &flags)) {
		printf(" malformed");
		return;
	}
	printf(" %u", flags);

	char **arguments = read_strings(&m);

	if (arguments)
		print_strings(arguments);

	char **environment = arguments ? read_strings(&m) : NULL;

	if (environment)
		print_strings(environment);

	char *directory = environment ? read_string(&m) : NULL;

	printf(" %s", directory ? directory : "malformed");
}

static void print_process(const struct specification *s)
{
	printf(" %u %u %u", s->flags, s->columns, s->rows);
	print_strings(s->arguments);
	print_strings(s->environment);
	printf(" %s %s", s->directory, s->user);
}

static void print_container(struct message m)
{
	const char *name = print_head(&m) ? read_string(&m) : NULL;
	struct specification s;

	if (!name || !read_container(&m, &s)) {
		printf(" malformed");
		return;
	}
	printf(" %s %s %s [%s] %u", name, s.image, s.scratch, s.emulator, s.machine);
	print_process(&s);
	printf(" %s", s.hostname);
	print_strings(s.volumes);
	print_strings(s.devices);
	print_strings(s.mounts);
}

static void print_exec(struct message m)
{
	const char *container = print_head(&m) ? read_string(&m) : NULL;
	struct specification s;

	if (!container || !read_exec(&m, &s)) {
		printf(" malformed");
		return;
	}
	printf(" %s", container);
	print_process(&s);
}

static void print_file(enum message_type type, struct message m)
{
	const char *container = print_head(&m) ? read_string(&m) : NULL;
	struct file_request r = { 0 };

	if (!container || !read_file_request(type, &m, &r)) {
		printf(" malformed");
		return;
	}
	printf(" %s", container);
	if (type == EXPORT) {
		printf(" %s %s", r.image, r.writable);
		return;
	}
	if (type >= STAT_FILE)
		printf(" %u", r.flags);
	if (type == WRITE_FILE || type == MAKE_FOLDER)
		printf(" %u", r.mode);
	printf(" %s", r.path);
	if (type == RENAME_FILE)
		printf(" %s", r.new_path);
}

static void print_numbers(struct message *m, int count)
{
	uint32_t number;

	for (; count > 0 && read_u32(m, &number); count--)
		printf(" %u", number);
}

static void print_network(struct message m)
{
	struct network n;

	if (read_network(&m, &n))
		printf(" %u %u %u %u", n.address, n.gateway, n.name_server, n.prefix);
	else
		printf(" malformed");
}

static void print_resumption(struct message m)
{
	struct resumption r;

	if (!read_resumption(&m, &r)) {
		printf(" malformed");
		return;
	}
	printf(" %lu %lu ", r.tick, r.time);
	print_bytes(r.entropy, ENTROPY_SIZE);
}

static void print_name(struct message *m)
{
	const char *name = read_string(m);

	printf(" %s", name ? name : "malformed");
}

static void handle(enum message_type type, struct message m)
{
	printf("%d", type);
	if (type == RUN)
		print_run(m);
	if (type == CONTAINER)
		print_container(m);
	if (type == EXEC)
		print_exec(m);
	if (type == READ_FILE || type == WRITE_FILE || (type >= LIST_FOLDER && type <= RENAME_FILE) ||
	    type == WATCH_FILE || type == EXPORT)
		print_file(type, m);
	if (type == SIGNAL || type == STOP)
		print_numbers(&m, 2);
	if (type == RESIZE)
		print_numbers(&m, 3);
	if (type == KILL)
		print_numbers(&m, 1);
	if (type == MEASURE || type == KILL)
		print_name(&m);
	if ((type == FORWARD || type == CHANNEL) && print_head(&m))
		print_name(&m);
	if (type == CHANNEL)
		print_name(&m);
	if (type == NETWORK)
		print_network(m);
	if (type == RESUME)
		print_resumption(m);
	printf("\n");
}

/* All messages that init sends. */
static void send_all(void)
{
	control_send_started(7);
	control_send_exit(7, 129, "");
	control_send_exit(UINT32_MAX, CANNOT_RUN, "too many processes");
	control_send_usage((struct usage){
		.memory_total = 1ul << 32, .memory_available = 1, .disk_total = 2, .disk_used = 3, .uptime = 4, .idle = 5 });
	control_send_suspended();
}

/* A file with all its fields, and a link. */
static void print_records(void)
{
	static const struct record file = {
		.mode = 0104755,
		.size = 1ul << 40,
		.modified = 1795849200,
		.modified_nanoseconds = 123456789,
		.uid = 1000,
		.gid = UINT32_MAX,
		.flags = MOUNT_POINT,
	};
	static const struct record link = { .mode = 0120777, .target_mode = 0040755, .size = 3, .modified = -1 };
	static char bytes[2 * RECORD_LIMIT];
	size_t length = record_write(bytes, &file, "file", "");

	length += record_write(bytes + length, &link, "\xff\n", "../");
	fwrite(bytes, length, 1, stdout);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	sends = argc > 1;
	if (sends && strcmp(argv[1], "records") == 0) {
		print_records();
		return 0;
	}
	control_connect();
	if (sends) {
		send_all();
		return 0;
	}
	while (control_receive(handle) == 0)
		;
	printf("closed\n");
	return 0;
}

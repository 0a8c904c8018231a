/* Feeds standard input to init's control stream and prints every message as init understands it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../control.h"
#include "../specification.h"
#include "../vsock.h"

int vsock_connect(unsigned port)
{
	(void)port;
	return 0;
}

int write_all(int fd, const void *data, size_t length)
{
	(void)fd, (void)data, (void)length;
	return 0;
}

static void print_strings(char **strings)
{
	for (char **s = strings; *s; s++)
		printf(" [%s]", *s);
	free(strings);
}

static void print_run(struct message m)
{
	uint32_t id;
	uint8_t flags;

	if (!read_u32(&m, &id) || !read_u8(&m, &flags)) {
		printf(" malformed");
		return;
	}
	printf(" %u %u", id, flags);

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
	uint32_t id;
	struct specification s;

	if (!read_u32(&m, &id) || !read_container(&m, &s)) {
		printf(" malformed");
		return;
	}
	printf(" %u", id);
	print_process(&s);
	printf(" %s", s.hostname);
	print_strings(s.volumes);
}

static void print_exec(struct message m)
{
	uint32_t id, container;
	struct specification s;

	if (!read_u32(&m, &id) || !read_u32(&m, &container) || !read_exec(&m, &s)) {
		printf(" malformed");
		return;
	}
	printf(" %u %u", id, container);
	print_process(&s);
}

static void print_file(enum message_type type, struct message m)
{
	uint32_t id, container;
	struct file_request r;

	if (!read_u32(&m, &id) || !read_u32(&m, &container) || !read_file_request(type, &m, &r)) {
		printf(" malformed");
		return;
	}
	printf(" %u %u", id, container);
	if (type == WRITE_FILE)
		printf(" %u", r.mode);
	printf(" %s", r.path);
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
	if (type == READ_FILE || type == WRITE_FILE)
		print_file(type, m);
	printf("\n");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	control_connect();
	while (control_receive(handle) == 0)
		;
	printf("closed\n");
	return 0;
}

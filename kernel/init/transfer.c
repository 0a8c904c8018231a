#include <linux/sched.h>

#include "capabilities.h"
#include "change.h"
#include "console.h"
#include "export.h"
#include "listing.h"
#include "path.h"
#include "specification.h"
#include "transfer.h"
#include "vsock.h"
#include "watch.h"

enum { FAILED = 1, INTERRUPTED = 2 };

enum { MESSAGES = 3, USUAL_MODE = 0644, PERMISSIONS = 07777, BUFFER_SIZE = 1 << 16 };

#define TEMPORARY_NAME ".linuxrun-"

static char buffer[BUFFER_SIZE];

/*
 * The folder of the file that is being written, and the file's temporary name until it is complete, or empty.
 */
static struct place target;
static char temporary[sizeof(TEMPORARY_NAME) + 16];

static void __attribute__((noreturn)) leave(int status)
{
	if (*temporary)
		syscall(__NR_unlinkat, target.folder, temporary, 0);
	exit(status);
}

static void __attribute__((noreturn)) fail(const char *reason)
{
	fprintf(stderr, "%s\n", reason);
	leave(FAILED);
}

static void __attribute__((noreturn)) finish(const char *problem)
{
	if (problem)
		fail(problem);
	exit(0);
}

static void check(bool good)
{
	if (!good)
		fail(error_reason(errno));
}

/*
 * From here on every path, including links, is resolved in the container, with the rights of its root. This
 * process is not in the container's process namespace, so no process there can see it. Returns a pidfd of the
 * container's first process.
 */
static int enter(const struct container *container)
{
	int first = container_join(container);

	if (first < 0)
		fail("ESRCH: the container does not run");
	if (syscall(__NR_setns, first, CLONE_NEWNS) < 0)
		fail("ESRCH: the container has ended");
	check(drop_capabilities() == 0);
	return first;
}

/* Anything but a regular file has no content of its own, and may block a reader forever. */
static void check_regular(const struct statx *file)
{
	if (S_ISDIR(file->stx_mode))
		fail(error_reason(EISDIR));
	if (!S_ISREG(file->stx_mode))
		fail("EINVAL: not a regular file");
}

static void send_file(const char *path, int stream)
{
	struct statx file;
	ssize_t n;

	/* Checked before, because opening may have an effect already, such as on a FIFO. */
	check(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &file) == 0);
	check_regular(&file);

	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	check(fd >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &file) == 0);
	check_regular(&file);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		check(write_all(stream, buffer, n) == 0);
	check(n == 0);
}

/* Makes a file with a random name in the folder. Returns a descriptor. */
static int create_temporary(int folder)
{
	char name[sizeof(temporary)] = TEMPORARY_NAME;
	uint64_t random;

	check(syscall(__NR_getrandom, &random, sizeof(random), 0) == sizeof(random));
	u64toh_r(random, name + strlen(name));

	int fd = syscall(__NR_openat, folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	check(fd >= 0);
	strcpy(temporary, name);
	return fd;
}

static void receive(int stream, void *to, size_t length)
{
	while (length > 0) {
		ssize_t n = read(stream, to, length);

		if (n <= 0)
			leave(INTERRUPTED);
		to = (char *)to + n;
		length -= n;
	}
}

/* The stream ends with an empty chunk. Without it, the sender has given up. */
static void receive_chunks(int stream, int fd)
{
	uint32_t left;

	for (;;) {
		receive(stream, &left, sizeof(left));
		if (left == 0)
			return;
		while (left > 0) {
			size_t part = left < sizeof(buffer) ? left : sizeof(buffer);

			receive(stream, buffer, part);
			check(write_all(fd, buffer, part) == 0);
			left -= part;
		}
	}
}

/*
 * The file gets its new content completely or not at all. All steps use the folder that was found, even if it
 * is moved meanwhile, and only names in it.
 */
static void receive_file(const char *path, uint32_t mode, int stream)
{
	struct statx old;
	const char *problem = path_resolve(path, &target);

	if (problem)
		fail(problem);

	bool replaces = statx(target.folder, target.name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &old) == 0;

	if (replaces)
		check_regular(&old);
	if (mode == SAME_MODE)
		mode = replaces ? old.stx_mode : USUAL_MODE;

	int fd = create_temporary(target.folder);

	receive_chunks(stream, fd);
	if (replaces)
		check(syscall(__NR_fchown, fd, old.stx_uid, old.stx_gid) == 0);
	check(syscall(__NR_fchmod, fd, mode & PERMISSIONS) == 0 &&
	      syscall(__NR_renameat2, target.folder, temporary, target.folder, target.name, 0) == 0);
}

/* Does what needs no content. Returns NULL, or the reason for a failure. */
static const char *serve(enum message_type type, const struct file_request *request, int first, int stream)
{
	switch (type) {
	case LIST_FOLDER:
		return list_folder(request->path, stream);
	case STAT_FILE:
		return stat_file(request->path, request->flags & FOLLOW_LINK, stream);
	case MAKE_FOLDER:
		return make_folder(request);
	case WATCH_FILE:
		return watch_file(request->path, request->flags & RECURSIVE, first, stream);
	case REMOVE_FILE:
		return remove_file(request);
	default:
		return rename_file(request);
	}
}

static int open_stream(int descriptor)
{
	int stream = stream_open(descriptor);

	if (stream < 0)
		exit(FAILED);
	return stream;
}

void serve_file_request(enum message_type type, struct message message, const struct container *container)
{
	struct file_request request = { 0 };
	int stream = -1;

	dup2(open_stream(MESSAGES), STDERR_FILENO);
	if (!read_file_request(type, &message, &request))
		fail("EINVAL: malformed message");

	if (type == READ_FILE || type == LIST_FOLDER || type == STAT_FILE || type == WATCH_FILE ||
	    type == EXPORT)
		stream = open_stream(STDOUT_FILENO);
	if (type == WRITE_FILE)
		stream = open_stream(STDIN_FILENO);

	if (type == EXPORT)
		finish(export_changes(&request, container, stream));

	int first = enter(container);

	if (type == READ_FILE) {
		send_file(request.path, stream);
	} else if (type == WRITE_FILE) {
		receive_file(request.path, request.mode, stream);
	} else {
		finish(serve(type, &request, first, stream));
	}
	exit(0);
}

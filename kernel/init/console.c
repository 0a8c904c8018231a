#include "console.h"

static const struct {
	int error;
	const char *text;
} texts[] = {
	{ EPERM, "operation not permitted" },
	{ ENOENT, "no such file or directory" },
	{ EIO, "input/output error" },
	{ E2BIG, "arguments and environment are too long" },
	{ ENOEXEC, "not a program for this machine" },
	{ EAGAIN, "there is nothing to read now" },
	{ ENOMEM, "out of memory" },
	{ EACCES, "permission denied" },
	{ ENOTDIR, "not a directory" },
	{ EBUSY, "in use" },
	{ EISDIR, "is a directory" },
	{ EINVAL, "invalid argument" },
	{ ENOSPC, "no space left on the disk" },
	{ EFBIG, "the file would be too large" },
	{ EROFS, "read-only file system" },
	{ EPIPE, "the host has closed the connection" },
	{ ELOOP, "too many symbolic links" },
	{ ENAMETOOLONG, "name too long" },
	{ ECONNRESET, "the host has refused the connection" },
	{ ETIMEDOUT, "the host does not answer" },
};

const char *error_text(int error)
{
	static char number[32] = "error ";

	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	itoa_r(error, number + strlen("error "));
	return number;
}

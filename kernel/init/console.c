#include "console.h"

#define TEXT(error, text) { error, #error, text }

static const struct {
	int error;
	const char *name, *text;
} texts[] = {
	TEXT(EPERM, "operation not permitted"),
	TEXT(ENOENT, "no such file or directory"),
	TEXT(ENXIO, "no such device"),
	TEXT(EIO, "input/output error"),
	TEXT(E2BIG, "arguments and environment are too long"),
	TEXT(ENOEXEC, "not a program for this machine"),
	TEXT(EAGAIN, "there is nothing to read now"),
	TEXT(ENOMEM, "out of memory"),
	TEXT(EACCES, "permission denied"),
	TEXT(ENOTDIR, "not a directory"),
	TEXT(EBUSY, "in use"),
	TEXT(EEXIST, "there is a file of that name already"),
	TEXT(EXDEV, "on another file system"),
	TEXT(EISDIR, "is a directory"),
	TEXT(EINVAL, "invalid argument"),
	TEXT(ENFILE, "too many open files"),
	TEXT(EMFILE, "too many open files"),
	TEXT(ENOSPC, "no space left on the disk"),
	TEXT(EFBIG, "the file would be too large"),
	TEXT(EROFS, "read-only file system"),
	TEXT(EMLINK, "too many links"),
	TEXT(EPIPE, "the host has closed the connection"),
	TEXT(ELOOP, "too many symbolic links"),
	TEXT(ENAMETOOLONG, "name too long"),
	TEXT(ENOTEMPTY, "the folder is not empty"),
	TEXT(EOPNOTSUPP, "not supported by the file system"),
	TEXT(EUCLEAN, "the file system is damaged"),
	TEXT(EBADMSG, "the file system has a wrong checksum"),
	TEXT(EADDRINUSE, "in use already"),
	TEXT(ECONNRESET, "the host has refused the connection"),
	TEXT(ETIMEDOUT, "the host does not answer"),
};

void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

const char *error_text(int error)
{
	static char number[32] = "error ";

	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	itoa_r(error, number + strlen("error "));
	return number;
}

const char *error_reason(int error)
{
	static char reason[96];

	*reason = 0;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].error == error) {
			strlcat(reason, texts[i].name, sizeof(reason));
			strlcat(reason, ": ", sizeof(reason));
		}
	}
	strlcat(reason, error_text(error), sizeof(reason));
	return reason;
}

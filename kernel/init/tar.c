#include "tar.h"
#include "vsock.h"

enum { BLOCK = 512, BUFFER_SIZE = 1 << 16, RECORDS_SIZE = 1 << 18, END_BLOCKS = 2 };
enum { NANOSECONDS = 1000000000, NANOSECOND_DIGITS = 9, NUMBER_SIZE = 24 };

/* IEEE Std 1003.1, pax: ustar Interchange Format. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], modified[12], checksum[8], type, target[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], unused[12];
};

static int archive;
static char buffer[BUFFER_SIZE];
static size_t used;

/* The extended header of the next entry: records of a length, a blank, a key, '=', a value and a newline. */
static char records[RECORDS_SIZE];
static size_t records_length;

void tar_begin(int fd)
{
	archive = fd;
}

static bool flush(void)
{
	size_t length = used;

	used = 0;
	return write_all(archive, buffer, length) == 0;
}

bool tar_write(const void *data, size_t length)
{
	while (length > 0) {
		size_t room = sizeof(buffer) - used, part = length < room ? length : room;

		memcpy(buffer + used, data, part);
		used += part;
		data = (const char *)data + part;
		length -= part;
		if (used == sizeof(buffer) && !flush())
			return false;
	}
	return true;
}

bool tar_pad(uint64_t size)
{
	static const char zeros[BLOCK];

	return tar_write(zeros, -size % BLOCK);
}

bool tar_end(void)
{
	static const char zeros[END_BLOCKS * BLOCK];

	return tar_write(zeros, sizeof(zeros)) && flush();
}

static size_t count_digits(size_t number)
{
	size_t digits = 1;

	for (; number >= 10; number /= 10)
		digits++;
	return digits;
}

static void append(const void *bytes, size_t length)
{
	memcpy(records + records_length, bytes, length);
	records_length += length;
}

/* The key has two parts. */
static bool add_record(const char *prefix, const char *name, const void *value, size_t length)
{
	char number[NUMBER_SIZE];
	size_t rest = strlen(" ") + strlen(prefix) + strlen(name) + strlen("=") + length + strlen("\n"), total = rest;

	/* The length counts its own digits. */
	while (total != rest + count_digits(total))
		total = rest + count_digits(total);
	if (total > sizeof(records) - records_length)
		return false;
	u64toa_r(total, number);
	append(number, strlen(number));
	append(" ", 1);
	append(prefix, strlen(prefix));
	append(name, strlen(name));
	append("=", 1);
	append(value, length);
	append("\n", 1);
	return true;
}

bool tar_add_attribute(const char *name, const void *value, size_t length)
{
	return add_record("SCHILY.xattr.", name, value, length);
}

static bool add_text(const char *key, const char *text)
{
	return add_record(key, "", text, strlen(text));
}

static bool set_text(char *field, size_t size, const char *key, const char *text)
{
	size_t length = strlen(text);

	memcpy(field, text, length < size ? length : size);
	return length <= size || add_text(key, text);
}

/* Returns whether the number fits. If it does not, the field is zero. */
static bool set_octal(char *field, size_t size, uint64_t number)
{
	bool fits = number >> 3 * (size - 1) == 0;

	for (size_t digit = 0; digit < size - 1; digit++)
		field[digit] = '0' + (fits ? number >> 3 * (size - 2 - digit) & 7 : 0);
	return fits;
}

static bool set_number(char *field, size_t size, const char *key, uint64_t number)
{
	char text[NUMBER_SIZE];

	if (set_octal(field, size, number))
		return true;
	u64toa_r(number, text);
	return add_text(key, text);
}

/* Times before 1970 are negative, and so is their fraction. */
static void format_time(char text[2 * NUMBER_SIZE], int64_t seconds, uint32_t nanoseconds)
{
	char fraction[NUMBER_SIZE];

	if (seconds < 0) {
		*text++ = '-';
		seconds = -seconds - (nanoseconds > 0);
		nanoseconds = nanoseconds > 0 ? NANOSECONDS - nanoseconds : 0;
	}
	u64toa_r(seconds, text);
	/* The first digit is replaced by the point. */
	u64toa_r(NANOSECONDS + nanoseconds, fraction);
	*fraction = '.';
	strcpy(text + strlen(text), fraction);
}

static bool set_time(struct header *h, int64_t seconds, uint32_t nanoseconds)
{
	char text[2 * NUMBER_SIZE];

	if (set_octal(h->modified, sizeof(h->modified), seconds) && nanoseconds == 0)
		return true;
	format_time(text, seconds, nanoseconds);
	return add_text("mtime", text);
}

/* Completes and writes a header. */
static bool write_header(struct header *h, char type)
{
	const unsigned char *bytes = (const void *)h;
	unsigned sum = 0;

	h->type = type;
	memcpy(h->magic, "ustar", sizeof(h->magic));
	memset(h->version, '0', sizeof(h->version));
	/* The sum has blanks in its own place. */
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (int i = 0; i < BLOCK; i++)
		sum += bytes[i];
	set_octal(h->checksum, sizeof(h->checksum) - 1, sum);
	h->checksum[sizeof(h->checksum) - 2] = 0;
	return tar_write(h, sizeof(*h));
}

static bool write_records(void)
{
	struct header h = { .name = "PaxHeader" };
	size_t length = records_length;

	records_length = 0;
	if (length == 0)
		return true;
	set_octal(h.mode, sizeof(h.mode), 0644);
	set_octal(h.size, sizeof(h.size), length);
	return write_header(&h, 'x') && tar_write(records, length) && tar_pad(length);
}

bool tar_write_entry(const struct tar_entry *entry)
{
	struct header h = { 0 };

	set_octal(h.mode, sizeof(h.mode), entry->mode);
	set_octal(h.major, sizeof(h.major), entry->major);
	set_octal(h.minor, sizeof(h.minor), entry->minor);
	if (!set_text(h.name, sizeof(h.name), "path", entry->path) ||
	    (entry->target && !set_text(h.target, sizeof(h.target), "linkpath", entry->target)) ||
	    !set_number(h.uid, sizeof(h.uid), "uid", entry->uid) ||
	    !set_number(h.gid, sizeof(h.gid), "gid", entry->gid) ||
	    !set_number(h.size, sizeof(h.size), "size", entry->size) ||
	    !set_time(&h, entry->modified, entry->nanoseconds)) {
		errno = E2BIG;
		return false;
	}
	return write_records() && write_header(&h, entry->type);
}

#include "links.h"

/* Only pages that are used take memory. */
enum { ENTRIES = 1 << 16, MOST_ENTRIES = ENTRIES / 4 * 3, PATHS_SIZE = 1 << 23 };

/* A hash table with linear probing. A free entry has no path. */
static struct entry {
	struct file_identity file;
	const char *path;
} entries[ENTRIES];
static unsigned count;

static char paths[PATHS_SIZE];
static size_t used;

static bool is_same(const struct file_identity *a, const struct file_identity *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

const char *links_first_path(const struct file_identity *file, const char *path)
{
	struct entry *entry = &entries[file->inode % ENTRIES];
	size_t size = strlen(path) + 1;

	while (entry->path && !is_same(&entry->file, file))
		entry = entry + 1 < entries + ENTRIES ? entry + 1 : entries;
	if (entry->path)
		return entry->path;
	if (count == MOST_ENTRIES || size > sizeof(paths) - used)
		return NULL;
	*entry = (struct entry){ .file = *file, .path = strcpy(paths + used, path) };
	used += size;
	count++;
	return NULL;
}

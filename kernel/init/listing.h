/* Tells the host which files are there. */
#ifndef INIT_LISTING_H
#define INIT_LISTING_H

#include <stdbool.h>

/* Sends a record of each file in the folder. Returns NULL, or the reason for a failure. */
const char *list_folder(const char *path, int stream);

/* Sends the record of one file, without its name. Returns NULL, or the reason for a failure. */
const char *stat_file(const char *path, bool follows_link, int stream);

#endif

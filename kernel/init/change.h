/* Makes, removes and renames files for root in folders that others may change at any time. */
#ifndef INIT_CHANGE_H
#define INIT_CHANGE_H

#include "path.h"
#include "specification.h"

/* Carry out the requests. They return NULL, or the reason for a failure. */
const char *make_folder(const struct file_request *);
const char *remove_file(const struct file_request *);
const char *rename_file(const struct file_request *);

/* Removes a folder with its contents. Returns NULL, or the reason for a failure. */
const char *remove_tree(const struct place *);

#endif

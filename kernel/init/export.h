#ifndef INIT_EXPORT_H
#define INIT_EXPORT_H

#include "join.h"
#include "specification.h"

/*
 * Writes what a container has changed in its image as an OCI layer. The container is frozen from here on if
 * it runs; without one, the request names its disks. Returns NULL, or the reason for a failure.
 */
const char *export_changes(const struct file_request *, const struct container *, int stream);

#endif

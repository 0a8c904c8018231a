/* Programs of other processors, which a program of this one emulates. */
#ifndef INIT_EMULATE_H
#define INIT_EMULATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Lets the kernel run programs with this ELF machine number by the emulator on a disk, as long as the
 * caller's mount namespace exists. Returns false and prints the reason on failure.
 */
bool emulate(const char *serial, uint8_t machine);

/*
 * Whether the programs of a container are emulated. Moves the caller, if it can, into the mount namespace of
 * the container's supervisor, a pidfd.
 */
bool is_emulated(int supervisor);

#endif

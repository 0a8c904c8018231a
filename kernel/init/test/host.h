/* A function of nolibc that the host's C library lacks. */
#include <stdint.h>
#include <stdio.h>

static inline char *u64toa_r(uint64_t number, char *text)
{
	sprintf(text, "%lu", number);
	return text;
}

/* Going on from a saved state, which other machines may go on from as well. */
#ifndef INIT_SUSPEND_H
#define INIT_SUSPEND_H

#include "message.h"

/*
 * Serves RESUME: gives the kernel's random number generator a state of this machine's own and sets the clock,
 * before the processes of containers go on.
 */
void resume(struct message);

#endif

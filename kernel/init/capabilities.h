/* The capabilities of root in a container. */
#ifndef INIT_CAPABILITIES_H
#define INIT_CAPABILITIES_H

/* Removes all capabilities that a container must not have from the programs that this process executes. */
void bound_capabilities(void);

/* Removes them from this process as well. Returns 0, or -1 and errno. */
int drop_capabilities(void);

#endif

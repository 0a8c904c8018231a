/* What root may do in a container. */
#ifndef INIT_CAPABILITIES_H
#define INIT_CAPABILITIES_H

/* Takes the capabilities that a container is not to have from all programs that this process becomes. */
void bound_capabilities(void);

/* Takes them from this process itself, too. Returns 0, or -1 and errno. */
int drop_capabilities(void);

#endif

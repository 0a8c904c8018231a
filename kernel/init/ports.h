/* The TCP ports on which servers of a network namespace listen. */
#ifndef INIT_PORTS_H
#define INIT_PORTS_H

/* Reports the changes since the last call. */
void ports_look(void);

/* Lets the next look report all ports. */
void ports_forget(void);

#endif

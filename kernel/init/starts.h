/* The pipe on which supervisors report to init that their program runs. */
#ifndef INIT_STARTS_H
#define INIT_STARTS_H

/* Opens the pipe. Returns a descriptor that is readable when a start has been reported, or -1. */
int starts_open(void);

/* In a supervisor: reports the start of its program. */
void starts_report(void);

/* Returns the supervisor that reported the next start, or -1 if there is none. */
pid_t starts_read(void);

#endif

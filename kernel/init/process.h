/* The processes that the host requested, by the numbers that it gave them. */
#ifndef INIT_PROCESS_H
#define INIT_PROCESS_H

#include "message.h"

/* Returns a descriptor that is readable when a child has ended, and blocks the signal itself. */
int child_events(void);

/* Passes the reported starts on to the host. */
void process_pass_starts(void);

/* Starts the process that serves the message. */
void process_run(enum message_type, struct message);

/* Passes on what a SIGNAL or STOP message asks for. */
void process_signal(enum message_type, struct message);

/* Serves KILL. */
void process_kill(struct message);

void process_resize(struct message);

/* Gives the containers that run the network as it is configured now. */
void process_change_network(void);

/* Answers MEASURE. */
void process_measure(struct message);

/* Makes in advance what the first container needs, unless one runs. */
void process_prepare(void);

/* Reaps all ended children, including orphans, and reports those of the host. */
void process_reap(void);

/* Ends all processes except init: with SIGTERM, and after a while with SIGKILL. */
void process_end_all(void);

#endif

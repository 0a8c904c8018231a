import type { Connection } from '../machine/connection.ts';

/** Loads the code that talks to the worker, which the form does not need. */
export const loadMachinery = () => import('../machine/connection.ts');

/** The connection to the running session, if there is one. */
export const current: { connection: Connection | undefined } = { connection: undefined };

import type { Connection } from '../machine/connection.ts';

/** The code that talks to the worker, which the form does not need. */
export const loadMachinery = () => import('../machine/connection.ts');

/** The way to what runs, while something does. */
export const current: { connection: Connection | undefined } = { connection: undefined };

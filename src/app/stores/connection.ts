import type { Connection } from '../machine/connection.ts';

type Machinery = typeof import('../machine/connection.ts');

let loaded: Machinery | undefined;

/** Loads the code that talks to the worker, which the form does not need. */
export async function loadMachinery(): Promise<Machinery> {
  loaded = await import('../machine/connection.ts');
  return loaded;
}

/** The code if it is there, so that a click need not wait until the page is drawn again. */
export const loadedMachinery = (): Machinery | undefined => loaded;

/** The connection to the running session, if there is one. */
export const current: { connection: Connection | undefined } = { connection: undefined };

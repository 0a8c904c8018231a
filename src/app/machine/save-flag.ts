/** A flag in shared memory that tells a page whose thread waits for it how a save has ended. */
export const SAVING = 0;
export const SAVED = 1;
export const NOT_SAVED = 2;

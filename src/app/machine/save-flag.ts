/** Values of a flag in shared memory. The page's thread waits for it, and reads how the save ended. */
export const SAVING = 0;
export const SAVED = 1;
export const NOT_SAVED = 2;

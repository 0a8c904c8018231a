/** Blocks of code that readers can run. */
export function addRunButtons(): void {}

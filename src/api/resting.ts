/** Machines that no command uses now, but that the next one may use. */
const resting = new Map<object, () => Promise<void>>();

/** @param end ends the machine, and releases its image */
export function rest(machine: object, end: () => Promise<void>): void {
  resting.set(machine, end);
}

export function wake(machine: object): void {
  resting.delete(machine);
}

/** Ends them all, because they keep an image that is to be removed. */
export async function endResting(): Promise<void> {
  const ends = [...resting.values()];
  resting.clear();
  await Promise.allSettled(ends.map((end) => end()));
}

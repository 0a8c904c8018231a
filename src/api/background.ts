/** Calls a function later, unless Node's process ends before that. */
export function background(work: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(work, ms);
  // A browser's timer is a number.
  if (typeof timer === 'object') timer.unref();
  return timer;
}

/** The longest wait for a browser that is busy, in ms. */
const PATIENCE = 500;

/** Calls back when the browser has nothing else to do, after it has drawn the page. */
export function whenIdle(callback: () => void): void {
  // Safari has no requestIdleCallback.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(callback, { timeout: PATIENCE });
  else setTimeout(callback, PATIENCE / 5);
}

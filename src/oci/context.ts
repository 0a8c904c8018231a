/** What goes along with whatever may take its time. */
export interface Context {
  readonly signal: AbortSignal;
  /**
   * Told before something is tried again.
   * @param reason one line
   * @param delay how long that will wait, ms
   */
  readonly onRetry?: ((reason: string, delay: number) => void) | undefined;
}

/** @throws the signal's reason when it is aborted meanwhile */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

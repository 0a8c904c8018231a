import type { Architecture } from '../options/platform.mjs';

/** What every operation that may take long gets. */
export interface Context {
  readonly signal: AbortSignal;
  /** The processor whose image is wanted; by default the best one of those that the image is for. */
  readonly architecture?: Architecture | undefined;
  /**
   * Called before a retry.
   * @param reason one line
   * @param delay the pause before the retry, in ms
   */
  readonly onRetry?: ((reason: string, delay: number) => void) | undefined;
  /**
   * Called when the image that comes with LinuxRun is used.
   * @param reason why its source cannot be reached, in one line
   */
  readonly onBuiltIn?: ((reason: string) => void) | undefined;
}

/** @throws the signal's reason when it is aborted during the wait */
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

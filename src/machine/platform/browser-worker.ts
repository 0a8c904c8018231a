import { packError } from '../errors.ts';

/** Makes this worker the part of the machine that its first message describes; what goes wrong is reported. */
export function becomePart<Start>(run: (start: Start) => void): void {
  const fail = (event: Event, cause: unknown) => {
    // Else all the workers above report it, too, as errors of their own.
    event.preventDefault();
    postMessage(packError(cause));
  };
  addEventListener('error', (event) => fail(event, event.error));
  addEventListener('unhandledrejection', (event) => fail(event, event.reason));
  addEventListener('message', ({ data }: MessageEvent<Start>) => run(data), { once: true });
}

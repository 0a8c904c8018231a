import { packError } from '../errors.ts';

/** Makes this worker the part of the machine that its first message describes, and reports its errors. */
export function becomePart<Start>(run: (start: Start) => void): void {
  const fail = (event: Event, cause: unknown) => {
    // Otherwise every worker above reports it as its own error, too.
    event.preventDefault();
    postMessage(packError(cause));
  };
  addEventListener('error', (event) => fail(event, event.error));
  addEventListener('unhandledrejection', (event) => fail(event, event.reason));
  addEventListener('message', ({ data }: MessageEvent<Start>) => run(data), { once: true });
}

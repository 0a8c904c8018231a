import { packError } from '../errors.ts';

/** Makes this worker the part of the machine that its first message describes; what goes wrong is reported. */
export function becomePart<Start>(run: (start: Start) => void): void {
  const fail = (cause: unknown) => postMessage(packError(cause));
  addEventListener('error', ({ error }) => fail(error));
  addEventListener('unhandledrejection', ({ reason }) => fail(reason));
  addEventListener('message', ({ data }: MessageEvent<Start>) => run(data), { once: true });
}

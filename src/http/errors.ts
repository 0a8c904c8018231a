/** A server does not follow HTTP or WebSocket. The message explains it completely. */
export class HttpError extends Error {
  override name = 'HttpError';
}

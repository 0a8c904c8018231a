/**
 * Marks requests whose bodies are streams. A service worker cannot tell them from those whose length a
 * browser would send.
 */
import { STREAM_MARK } from './messages.ts';

export function shimStreams(): void {
  const { fetch } = self;
  self.Request = new Proxy(self.Request, {
    construct(Native, [input, init]: ConstructorParameters<typeof Request>, newTarget) {
      const request = Reflect.construct(Native, [input, init], newTarget) as Request;
      // Other servers would have to permit the header.
      if (isStreamed(init) && new URL(request.url).origin === self.origin)
        request.headers.set(STREAM_MARK, '1');
      return request;
    },
  });
  self.fetch = async (input, init) =>
    isStreamed(init) ? fetch(new Request(input, init)) : fetch(input, init);
}

function isStreamed(init?: RequestInit): boolean {
  return init?.body instanceof ReadableStream;
}

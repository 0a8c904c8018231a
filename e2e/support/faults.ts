/** Faults of a registry. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeRegistry, Interceptor } from '../../src/oci/testing/fake-registry.ts';
import { sha256, type TestLayer } from '../../src/oci/testing/image.ts';

const DRIP_MS = 1000;

/** Answers every request like this. */
export function refuseWith(status: number, headers: Record<string, string> = {}): Interceptor {
  return (_, response) => {
    response.writeHead(status, headers).end();
    return true;
  };
}

/** A slow network that loses each connection after some bytes of a layer. */
export function loseConnections({ blob }: TestLayer, bytes: number, delay: number): Interceptor {
  return async ({ url, headers }, response) => {
    await sleep(delay);
    if (!url?.endsWith(sha256(blob))) return false;
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const rest = { 'Content-Length': blob.length - start };
    const range = { 'Content-Range': `bytes ${start}-${blob.length - 1}/${blob.length}` };
    response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...rest, ...range } : rest);
    const end = start + bytes;
    response.write(blob.subarray(start, end), () =>
      end < blob.length ? response.destroy() : response.end(),
    );
    return true;
  };
}

/** Holds a layer back after half of it, until the gate is opened. Then lets everything through. */
export class Gate {
  #isOpen = false;
  #open = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  /** The number of requests for the layer. */
  requests = 0;

  constructor(registry: FakeRegistry, { blob }: TestLayer) {
    const digest = sha256(blob);
    registry.intercept = async (request, response) => {
      if (!request.url?.endsWith(digest)) return false;
      this.requests++;
      let passed = blob.length >> 1;
      response.writeHead(200, { 'Content-Length': blob.length });
      response.write(blob.subarray(0, passed));
      // Sends a byte now and then, so that the connection does not time out.
      while (!this.#isOpen && !response.destroyed) {
        await Promise.race([this.#opened, sleep(DRIP_MS)]);
        response.write(blob.subarray(passed, ++passed));
      }
      response.end(blob.subarray(passed));
      return true;
    };
  }

  open(): void {
    this.#isOpen = true;
    this.#open();
  }
}

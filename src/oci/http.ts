/** HTTP for hostile or busy servers: time limits, retries, resumed downloads and checked redirects. */

import { clean, messageOf } from '../text/message.ts';
import { isInternal } from './address.ts';
import { collect, tooLarge } from './bytes.ts';
import { type Context, sleep } from './context.ts';
import { ImageError, type ImageErrorKind } from './errors.ts';

/** The parts of a request that we use. */
export interface FetchOptions extends RequestInit {
  /** Headers by name, in lower case. */
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** The parts of a `Response` that we use. */
export interface FetchResponse {
  readonly status: number;
  readonly type: ResponseType;
  readonly headers: Pick<Headers, 'get'>;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The platform's `fetch`, or one that goes through our proxy. */
export type Fetch = (url: string, options: FetchOptions) => Promise<FetchResponse>;

/** Durations, in ms. */
export interface Timing {
  /** The longest time until a server begins its answer. */
  readonly answer: number;
  /** The longest pause in an answer. */
  readonly stall: number;
  /** The mean pause before the first retry. It doubles with each retry. */
  readonly backoff: number;
  /** The least time for which a started download is resumed, because networks come and go. */
  readonly patience: number;
}

const DEFAULT_TIMING: Timing = { answer: 12_000, stall: 10_000, backoff: 500, patience: 30_000 };
const ATTEMPTS = 3;
const MAX_BACKOFF_MS = 8_000;
/** After this many bytes a download has all its attempts again. */
const PROGRESS = 256 << 10;
/** The longest wait that a server may ask for. Beyond it the user gets an error that says so. */
const MAX_WAIT_MS = 30_000;
const MAX_REDIRECTS = 5;
const MAX_ERROR_BODY = 64 << 10;

/** A failure after which a retry may succeed. */
export class TransientError extends ImageError {
  /** The wait that the server asks for, in ms from now. */
  readonly retryAfter: number | undefined;

  constructor(message: string, kind: ImageErrorKind, retryAfter?: number, options?: ErrorOptions) {
    super(message, kind, options);
    this.retryAfter = retryAfter;
  }
}

export class HttpClient {
  readonly #fetch: Fetch;
  readonly #timing: Timing;

  constructor(fetch: Fetch, timing: Partial<Timing> = {}) {
    this.#fetch = fetch;
    this.#timing = { ...DEFAULT_TIMING, ...timing };
  }

  /**
   * Sends a GET request and follows redirects. An Authorization header never goes to another origin.
   * @param headers by name, in lower case
   * @returns the answer, whatever its status
   * @throws TransientError when no answer comes
   */
  async get(url: string, headers: Record<string, string>, { signal }: Context): Promise<Answer> {
    let target = new URL(url);
    const sent = { ...headers };
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await this.#send(target, sent, signal);
      const location = isRedirect(answer.status) ? answer.headers.get('location') : null;
      if (location === null) return answer;
      answer.cancel();
      const next = redirectTarget(location, target);
      if (next.origin !== target.origin) delete sent.authorization;
      target = next;
    }
    throw new ImageError(`${target.host} redirects too often`);
  }

  /** Repeats `attempt` with growing pauses while it fails with a TransientError. */
  async retry<T>(attempt: () => Promise<T>, context: Context): Promise<T> {
    const failures = new Failures(this.#timing, context);
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        await failures.wait(error);
      }
    }
  }

  /**
   * Downloads a body of known size, and resumes where the connection broke.
   * @param open requests the bytes from `offset` on
   */
  async *download(
    open: (offset: number) => Promise<Answer>,
    size: number,
    context: Context,
  ): AsyncGenerator<Uint8Array, void, void> {
    const failures = new Failures(this.#timing, context);
    let offset = 0;
    let forgotten = 0;
    for (;;) {
      try {
        const answer = await open(offset);
        for await (const bytes of answer.bodyFrom(offset)) {
          offset += bytes.length;
          yield bytes;
        }
        if (offset >= size) return;
        throw new TransientError(`${answer.host} ended a download early`, 'network');
      } catch (error) {
        // All bytes have arrived; only the end of the connection failed.
        if (offset >= size) return;
        if (offset - forgotten >= PROGRESS) {
          failures.forget();
          forgotten = offset;
        }
        await failures.wait(error, offset > 0);
      }
    }
  }

  async #send(target: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const controller = new AbortController();
    const late = new TransientError(
      `${target.host} does not answer within ${this.#timing.answer / 1000} s`,
      'network',
    );
    const timer = setTimeout(() => controller.abort(late), this.#timing.answer);
    try {
      const response = await this.#fetch(target.href, {
        headers,
        redirect: 'manual',
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.any([signal, controller.signal]),
      });
      // Browsers hide a redirect that they do not follow.
      if (response.type === 'opaqueredirect') throw new ImageError(`${target.host} redirects elsewhere`);
      return new Answer(response, target.host, this.#timing.stall, controller, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (controller.signal.aborted) throw late;
      if (error instanceof ImageError) throw error;
      const message = `cannot reach ${target.host}: ${messageOf(error)}`;
      throw new TransientError(message, 'network', undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The error of a failed answer. The text is empty if there is none. */
interface Explanation {
  readonly code: unknown;
  readonly text: string;
}

/** The answer to a request. The caller reads its body to the end or cancels it. */
export class Answer {
  readonly status: number;
  readonly headers: FetchResponse['headers'];
  readonly host: string;
  readonly #response: FetchResponse;
  readonly #stall: number;
  readonly #controller: AbortController;
  readonly #signal: AbortSignal;

  constructor(
    response: FetchResponse,
    host: string,
    stall: number,
    controller: AbortController,
    signal: AbortSignal,
  ) {
    this.status = response.status;
    this.headers = response.headers;
    this.host = host;
    this.#response = response;
    this.#stall = stall;
    this.#controller = controller;
    this.#signal = signal;
  }

  cancel(): void {
    this.#controller.abort();
  }

  /** @throws TransientError when the body breaks off or pauses too long */
  async *body(): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.#response.body?.getReader();
    if (!reader) return;
    const stalled = new TransientError(`${this.host} has stopped sending`, 'network');
    try {
      for (;;) {
        const timer = setTimeout(() => this.#controller.abort(stalled), this.#stall);
        const { done, value } = await reader.read().finally(() => clearTimeout(timer));
        if (done) return;
        yield value;
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      if (this.#controller.signal.aborted) throw stalled;
      const message = `the connection to ${this.host} broke off (${messageOf(error)})`;
      throw new TransientError(message, 'network', undefined, { cause: error });
    } finally {
      this.cancel();
    }
  }

  /** Returns the bytes from `offset` on, whether or not the server heeded the Range header. */
  async *bodyFrom(offset: number): AsyncGenerator<Uint8Array, void, void> {
    let skip = this.status === 206 ? 0 : offset;
    // Pages of other origins may not see the header. The digest then detects a wrong part.
    const range = this.headers.get('content-range');
    if (this.status === 206 && range !== null && !range.startsWith(`bytes ${offset}-`)) {
      this.cancel();
      throw new ImageError(`${this.host} sent another part of the file than was asked for`);
    }
    for await (const bytes of this.body()) {
      const skipped = Math.min(skip, bytes.length);
      skip -= skipped;
      if (skipped < bytes.length) yield bytes.subarray(skipped);
    }
  }

  /** @param what the name for the error about more than `limit` bytes */
  async bytes(limit: number, what: string): Promise<Uint8Array> {
    const announced = Number(this.headers.get('content-length') ?? 0);
    if (announced <= limit) return collect(this.body(), limit, what);
    this.cancel();
    throw tooLarge(what, limit);
  }

  /** Returns the error of the body, in the form of the distribution specification or any other. */
  async explanation(): Promise<Explanation> {
    const bytes = await this.bytes(MAX_ERROR_BODY, 'the error message').catch(() => new Uint8Array(0));
    const text = new TextDecoder().decode(bytes);
    try {
      const { errors, details, message } = JSON.parse(text);
      const code = errors?.[0]?.code;
      const said = errors?.[0]?.message || code || details || message;
      return { code, text: typeof said === 'string' ? clean(said) : '' };
    } catch {
      const isText = /^text\/plain/.test(this.headers.get('content-type') ?? '');
      return { code: undefined, text: isText ? clean(text) : '' };
    }
  }
}

/** Returns the error for a failed answer, transient if its status is. */
export async function statusError(answer: Answer, what: string): Promise<ImageError> {
  const { status, host } = answer;
  const retryAfter = parseRetryAfter(answer.headers.get('retry-after'));
  const { text: said } = await answer.explanation();
  const message = `${host} answered ${status} when asked for ${what}${said ? ` (${said})` : ''}`;
  const mayPass = status >= 500 || status === 408 || status === 425;
  return mayPass ? new TransientError(message, 'network', retryAfter) : new ImageError(message, 'network');
}

/** Reads a Retry-After header (RFC 9110, section 10.2.3), in ms from now. */
export function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

/** Counts failures in a row and waits after each, with exponential back-off and full jitter. */
class Failures {
  readonly #timing: Timing;
  readonly #context: Context;
  #count = 0;
  #since = performance.now();

  constructor(timing: Timing, context: Context) {
    this.#timing = timing;
    this.#context = context;
  }

  /** @throws the error itself when a retry makes no sense */
  async wait(error: unknown, hadBegun = false): Promise<void> {
    this.#context.signal.throwIfAborted();
    const { backoff, patience } = this.#timing;
    const mayGoOn = hadBegun && performance.now() - this.#since < patience;
    this.#count++;
    if (!(error instanceof TransientError) || (this.#count >= ATTEMPTS && !mayGoOn)) throw error;
    const mean = Math.min(backoff * 2 ** (this.#count - 1), MAX_BACKOFF_MS);
    const delay = Math.max(error.retryAfter ?? 0, mean * 2 * Math.random());
    if (delay > MAX_WAIT_MS) throw error;
    this.#context.onRetry?.(error.message, delay);
    await sleep(delay, this.#context.signal);
  }

  forget(): void {
    this.#count = 0;
    this.#since = performance.now();
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function redirectTarget(location: string, from: URL): URL {
  const refused = (why: string) => new ImageError(`${from.host} redirects ${why}`);
  if (!URL.canParse(location, from.href)) throw refused('to no valid address');
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && to.protocol !== from.protocol) throw refused('away from https');
  if (to.username || to.password) throw refused('to an address with a password in it');
  if (isInternal(to.hostname) && !isInternal(from.hostname))
    throw refused(`to ${to.host}, which is not on the internet`);
  return to;
}

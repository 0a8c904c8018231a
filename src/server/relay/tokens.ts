import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { RELAY_PROTOCOL } from '../../network/relay-protocol.ts';

/** How long a token is valid, in seconds. */
const LIFETIME = 60;
/** How far ahead the clock of a token's maker may be, in seconds. */
const CLOCK_SKEW = 30;
const SECRET_BYTES = 32;
const NONCE_BYTES = 32;

/** The time at which it expires, in seconds since 1970, a number used once, and the code of both. */
const TOKEN = /^(\d{1,12})\.([\w-]{16,64})\.([\w-]{43})$/;

/** Who may use a token. */
export interface Bearer {
  /** The client, as for quotas. */
  readonly client: string;
  /** The origin of the page; empty for programs. */
  readonly origin: string;
}

/** Makes and checks tokens. Each is good for one session, for a minute, for one client and one origin. */
export class Tokens {
  readonly #secret: Buffer;
  /** The nonces of used tokens, with the time at which they expire. */
  readonly #used = new Map<string, number>();

  /** @param secret of several relays that take each other's tokens */
  constructor(secret?: string) {
    this.#secret = secret === undefined ? randomBytes(SECRET_BYTES) : Buffer.from(secret);
  }

  issue(bearer: Bearer): string {
    const expiry = String(nowInSeconds() + LIFETIME);
    const nonce = randomBytes(NONCE_BYTES).toString('base64url');
    return `${expiry}.${nonce}.${this.#codeOf(expiry, nonce, bearer)}`;
  }

  /** @returns a function that uses the token up; undefined if the bearer may not use it */
  check(token: string, bearer: Bearer): (() => void) | undefined {
    const [, expiry, nonce, code] = TOKEN.exec(token) ?? [];
    if (expiry === undefined || nonce === undefined || code === undefined) return undefined;
    const expected = this.#codeOf(expiry, nonce, bearer);
    if (!timingSafeEqual(Buffer.from(code), Buffer.from(expected))) return undefined;
    const left = Number(expiry) - nowInSeconds();
    if (left <= 0 || left > LIFETIME + CLOCK_SKEW || this.#used.has(nonce)) return undefined;
    return () => this.#use(nonce, Number(expiry));
  }

  #use(nonce: string, expiry: number): void {
    for (const [each, time] of this.#used) if (time <= nowInSeconds()) this.#used.delete(each);
    this.#used.set(nonce, expiry);
  }

  #codeOf(expiry: string, nonce: string, { client, origin }: Bearer): string {
    const text = [RELAY_PROTOCOL, expiry, nonce, client, origin].join('\n');
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

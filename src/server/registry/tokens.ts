import { createHash } from 'node:crypto';

const MAX_TOKENS = 1000;
/** The lifetime that the token service's specification gives a token by default, in s. */
const DEFAULT_LIFETIME = 60;
const MAX_LIFETIME = 3600;
/** The time for which a token must still be valid, in s, because it has to arrive. */
const MARGIN = 10;

/** Bearer tokens by registry, repository and user, in memory. */
export class Tokens {
  readonly #tokens = new Map<string, { header: string; until: number }>();

  get(key: string): string | undefined {
    const token = this.#tokens.get(key);
    return token && token.until > performance.now() ? token.header : undefined;
  }

  /** @param lifetime the lifetime that the token service gave, in s */
  set(key: string, header: string, lifetime: unknown): void {
    const seconds = typeof lifetime === 'number' ? Math.min(lifetime, MAX_LIFETIME) : DEFAULT_LIFETIME;
    this.#tokens.delete(key);
    this.#tokens.set(key, { header, until: performance.now() + (seconds - MARGIN) * 1000 });
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
  }
}

/** Tells users apart without keeping their passwords. */
export function tokenKey(origin: string, repository: string, credentials: string | undefined): string {
  const user = credentials === undefined ? '' : createHash('sha256').update(credentials).digest('hex');
  return `${origin} ${repository} ${user}`;
}

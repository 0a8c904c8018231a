import type { Locks } from './key-value.ts';
import { once } from './once.ts';

/** The browser's locks, which all tabs and workers of the origin share. */
export class WebLocks implements Locks {
  readonly place = 'in this or another tab';
  readonly #prefix: string;

  /** @param scope the prefix that tells these locks from others of the origin */
  constructor(scope: string) {
    this.#prefix = `${scope}/`;
  }

  async hold(name: string): Promise<() => Promise<void>> {
    return (await this.#request(name, { mode: 'shared' })) as () => Promise<void>;
  }

  claim(name: string): Promise<(() => Promise<void>) | undefined> {
    return this.#request(name, { mode: 'exclusive', ifAvailable: true });
  }

  async held(): Promise<Set<string>> {
    const { held = [] } = await navigator.locks.query();
    const names = held.map(({ name = '' }) => name).filter((name) => name.startsWith(this.#prefix));
    return new Set(names.map((name) => name.slice(this.#prefix.length)));
  }

  #request(name: string, options: LockOptions): Promise<(() => Promise<void>) | undefined> {
    return new Promise((resolve, reject) => {
      const held = navigator.locks.request(this.#prefix + name, options, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((letGo) => {
          resolve(
            once(async () => {
              letGo();
              await held;
            }),
          );
        });
      });
      held.catch(reject);
    });
  }
}

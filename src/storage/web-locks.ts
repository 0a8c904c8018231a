import type { Locks } from './key-value.ts';
import { once } from './once.ts';

/** The browser's locks, which all tabs and workers of the origin share. */
export class WebLocks implements Locks {
  readonly #prefix: string;

  /** @param scope the prefix that tells these locks from others of the origin */
  constructor(scope: string) {
    this.#prefix = `${scope}/`;
  }

  hold(name: string): Promise<() => Promise<void>> {
    return new Promise((resolve, reject) => {
      const held = navigator.locks.request(this.#prefix + name, { mode: 'shared' }, () => {
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

  async held(): Promise<Set<string>> {
    const { held = [] } = await navigator.locks.query();
    const names = held.map(({ name = '' }) => name).filter((name) => name.startsWith(this.#prefix));
    return new Set(names.map((name) => name.slice(this.#prefix.length)));
  }
}

import { mkdir, readdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { explainFileError } from './file-store.ts';
import type { Locks } from './key-value.ts';
import { once } from './once.ts';
import { mayBeAlive, processMark } from './process-mark.ts';

/** Attempts to claim a lock, and the longest pause between two, in ms. */
const ATTEMPTS = 4;
const PAUSE = 40;

/**
 * Locks as empty files `name=mark` in a folder. A lock is void once the process that its mark names is gone.
 */
export class FileLocks implements Locks {
  readonly place = 'in this or another process';
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async hold(name: string): Promise<() => Promise<void>> {
    return (await this.#mark(name)).release;
  }

  /** Of several that claim a lock at once, each may see another's mark, so they try again at random times. */
  async claim(name: string): Promise<(() => Promise<void>) | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { file, release } = await this.#mark(name);
      const others = (await this.#living()).filter((other) => other.name === name && other.file !== file);
      if (others.length === 0) return release;
      await release();
      if (attempt === ATTEMPTS) return undefined;
      await setTimeout(Math.random() * PAUSE);
    }
  }

  async held(): Promise<Set<string>> {
    return new Set((await this.#living()).map(({ name }) => name));
  }

  async #mark(name: string): Promise<{ file: string; release: () => Promise<void> }> {
    // Names may have a slash, files not.
    const file = `${name.replaceAll('/', '+')}=${processMark()}`;
    const path = join(this.#folder, file);
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(path, '');
    } catch (error) {
      throw explainFileError(error, path);
    }
    return { file, release: once(() => unlink(path).catch(() => {})) };
  }

  /** The marks of living processes. Removes those of others. */
  async #living(): Promise<{ file: string; name: string }[]> {
    const living: { file: string; name: string }[] = [];
    for (const file of await readdir(this.#folder).catch(() => [])) {
      const [name = '', mark = ''] = file.split('=');
      const path = join(this.#folder, file);
      const status = await stat(path).catch(() => undefined);
      if (!status) continue;
      if (mayBeAlive(mark, status.mtimeMs)) living.push({ file, name: name.replaceAll('+', '/') });
      else await unlink(path).catch(() => {});
    }
    return living;
  }
}

import { mkdir, readdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainFileError } from './file-store.ts';
import type { Locks } from './key-value.ts';
import { once } from './once.ts';
import { mayBeAlive, processMark } from './process-mark.ts';

/**
 * Locks as empty files `name=mark` in a folder. A lock is void once the process that its mark names is gone.
 */
export class FileLocks implements Locks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async hold(name: string): Promise<() => Promise<void>> {
    const path = join(this.#folder, `${name}=${processMark()}`);
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(path, '');
    } catch (error) {
      throw explainFileError(error, path);
    }
    return once(() => unlink(path).catch(() => {}));
  }

  async held(): Promise<Set<string>> {
    const names = new Set<string>();
    for (const file of await readdir(this.#folder).catch(() => [])) {
      const [name = '', mark = ''] = file.split('=');
      const path = join(this.#folder, file);
      const status = await stat(path).catch(() => undefined);
      if (!status) continue;
      if (mayBeAlive(mark, status.mtimeMs)) names.add(name);
      else await unlink(path).catch(() => {});
    }
    return names;
  }
}

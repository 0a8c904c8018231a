/** How the names of a shared folder lead to files of the host, and never out of the folder. */
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { statusOf } from './host-status.ts';
import { type FileStatus, FolderError, type Way } from './shared-folder.ts';

export type Path = string | Buffer;

export interface Places {
  /** Whether `pinned` holds also against programs of the host. */
  readonly canPin: boolean;
  /** Gives the path of a file, which may be missing. If it is a link, the path is that of the link. */
  at<T>(way: Way, use: (path: Path) => Promise<T>): Promise<T>;
  atBoth<T>(way: Way, newWay: Way, use: (path: Path, newPath: Path) => Promise<T>): Promise<T>;
  /** Gives a path that is followed to this file, whatever its name leads to meanwhile. */
  pinned<T>(way: Way, use: (path: Path, status: FileStatus) => Promise<T>): Promise<T>;
  /** Gives the path of a folder. */
  inFolder<T>(way: Way, use: (path: Path) => Promise<T>): Promise<T>;
  /** What has been at this place is elsewhere, or gone. */
  moved(way: Way): void;
  close(): Promise<void>;
}

/**
 * Places on any system: the folders on the way are looked at one after the other. Operations take turns, so
 * that the container cannot put a link there meanwhile. Programs of the host can.
 */
export class PathPlaces implements Places {
  readonly canPin = false;
  readonly #root: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(root: string) {
    this.#root = root;
  }

  at<T>(way: Way, use: (path: Path) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => use(await this.#find(way)));
  }

  atBoth<T>(way: Way, newWay: Way, use: (path: Path, newPath: Path) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => use(await this.#find(way), await this.#find(newWay)));
  }

  pinned<T>(way: Way, use: (path: Path, status: FileStatus) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const path = await this.#find(way);
      return use(path, statusOf(await fs.lstat(path, { bigint: true })));
    });
  }

  inFolder<T>(way: Way, use: (path: Path) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const path = await this.#find(way);
      await requireFolder(path);
      return use(path);
    });
  }

  moved(): void {}

  async close(): Promise<void> {
    await this.#last;
  }

  async #find(way: Way): Promise<string> {
    let path = await fs.realpath(this.#root);
    for (const [index, name] of way.entries()) {
      if (index > 0) await requireFolder(path);
      requirePortableName(name);
      path = join(path, name);
    }
    return path;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/** @throws ENOTDIR, also for a link */
async function requireFolder(path: string): Promise<void> {
  if (!(await fs.lstat(path)).isDirectory()) throw new FolderError('ENOTDIR');
}

/** @throws EINVAL unless it is the name of a file in a folder */
export function requireName(name: string): void {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) throw new FolderError('EINVAL');
}

/** Windows has names for devices, streams of files, and other separators. */
const NO_WINDOWS_NAME = /[<>:"\\|?*]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** @throws EINVAL */
function requirePortableName(name: string): void {
  requireName(name);
  const isStrange =
    /[\udc80-\udcff]/u.test(name) || (process.platform === 'win32' && NO_WINDOWS_NAME.test(name));
  if (isStrange) throw new FolderError('EINVAL');
}

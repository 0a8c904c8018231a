/** How the names of a shared folder lead to files of the host, and never out of the folder. */
import { lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { statusOf } from './host-status.ts';
import { type FileStatus, FolderError, type Way } from './shared-folder.ts';

export type Path = string | Buffer;

/** All paths hold until the next call, because nothing comes between: this thread alone uses the places. */
export interface Places {
  /** Whether `pinned` holds also against programs of the host. */
  readonly canPin: boolean;
  /** The path of a file, which may be missing. If it is a link, the path is that of the link. */
  at(way: Way): Path;
  /** The paths of two files, as `at`. */
  atBoth(way: Way, newWay: Way): readonly [Path, Path];
  /** The path of a folder. */
  folder(way: Way): Path;
  /** Gives a path that is followed to this file, whatever its name leads to meanwhile. */
  pinned<T>(way: Way, use: (path: Path, status: FileStatus) => T): T;
  /** What has been at this place is elsewhere, or gone. */
  moved(way: Way): void;
  close(): void;
}

/**
 * Places on any system: the folders on the way are looked at one after the other. The container cannot put a
 * link there meanwhile, because its operations take turns. Programs of the host can.
 */
export class PathPlaces implements Places {
  readonly canPin = false;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  at(way: Way): Path {
    let path = realpathSync(this.#root);
    for (const [index, name] of way.entries()) {
      if (index > 0) requireFolder(path);
      requirePortableName(name);
      path = join(path, name);
    }
    return path;
  }

  atBoth(way: Way, newWay: Way): readonly [Path, Path] {
    return [this.at(way), this.at(newWay)];
  }

  folder(way: Way): Path {
    const path = this.at(way);
    requireFolder(path);
    return path;
  }

  pinned<T>(way: Way, use: (path: Path, status: FileStatus) => T): T {
    const path = this.at(way);
    return use(path, statusOf(lstatSync(path, { bigint: true })));
  }

  moved(): void {}

  close(): void {}
}

/** @throws ENOTDIR, also for a link */
function requireFolder(path: Path): void {
  if (!lstatSync(path).isDirectory()) throw new FolderError('ENOTDIR');
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

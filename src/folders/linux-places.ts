/** How the names of a shared folder lead to files of the host, on Linux. */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import * as fs from 'node:fs/promises';
import { type Path, type Places, requireName } from './host-places.ts';
import { hostText, statusOf } from './host-status.ts';
import type { FileStatus, Way } from './shared-folder.ts';

/** Of open(2) on Linux: a descriptor that only stands for a file, whose opening has no effect on it. */
const O_PATH = 0o10000000;
const PIN = O_PATH | constants.O_NOFOLLOW;
/** How many folders stay open, and for how long: after that, they are looked up again. In ms. */
const MOST_FOLDERS = 512;
const FRESH = 1000;

/** An open folder, or one that is being opened. */
interface OpenFolder {
  readonly handle: Promise<FileHandle>;
  readonly opened: number;
  users: number;
  isGone: boolean;
}

/**
 * Each folder is opened in its parent by a descriptor (`/proc/self/fd`), and no link is
 * followed, so neither links nor races lead out of the root.
 */
export class DescriptorPlaces implements Places {
  readonly canPin = true;
  readonly #root: string;
  readonly #folders = new Map<string, OpenFolder>();

  constructor(root: string) {
    this.#root = root;
  }

  async at<T>(way: Way, use: (path: Path) => Promise<T>): Promise<T> {
    const name = way.at(-1);
    return this.#inside(way.slice(0, -1), (folder) => use(below(folder, name ?? '.')));
  }

  atBoth<T>(way: Way, newWay: Way, use: (path: Path, newPath: Path) => Promise<T>): Promise<T> {
    return this.at(way, (path) => this.at(newWay, (newPath) => use(path, newPath)));
  }

  async pinned<T>(way: Way, use: (path: Path, status: FileStatus) => Promise<T>): Promise<T> {
    const pin = await this.at(way, (path) => fs.open(path, PIN));
    try {
      return await use(`/proc/self/fd/${pin.fd}`, statusOf(await pin.stat({ bigint: true })));
    } finally {
      await pin.close();
    }
  }

  inFolder<T>(way: Way, use: (path: Path) => Promise<T>): Promise<T> {
    return this.#inside(way, (folder) => use(below(folder, '.')));
  }

  moved(way: Way): void {
    const key = way.join('/');
    for (const [known, folder] of this.#folders)
      if (known === key || known.startsWith(`${key}/`)) this.#forget(known, folder);
  }

  async close(): Promise<void> {
    for (const [key, folder] of this.#folders) this.#forget(key, folder);
  }

  async #inside<T>(way: Way, use: (folder: number) => Promise<T>): Promise<T> {
    const folder = this.#find(way);
    folder.users++;
    try {
      return await use((await folder.handle).fd);
    } finally {
      folder.users--;
      this.#closeUnused(folder);
    }
  }

  #find(way: Way): OpenFolder {
    const key = way.join('/');
    const known = this.#folders.get(key);
    if (known && (way.length === 0 || performance.now() - known.opened < FRESH)) return known;
    if (known) this.#forget(key, known);
    const handle = this.#open(way);
    const folder = { handle, opened: performance.now(), users: 0, isGone: false };
    this.#folders.set(key, folder);
    handle.catch(() => this.#forget(key, folder));
    this.#evict();
    return folder;
  }

  #open(way: Way): Promise<FileHandle> {
    if (way.length === 0) return fs.open(this.#root, O_PATH | constants.O_DIRECTORY);
    return this.at(way, (path) => fs.open(path, PIN | constants.O_DIRECTORY));
  }

  #evict(): void {
    for (const [key, folder] of this.#folders) {
      if (this.#folders.size <= MOST_FOLDERS) return;
      if (key !== '' && folder.users === 0) this.#forget(key, folder);
    }
  }

  #forget(key: string, folder: OpenFolder): void {
    if (this.#folders.get(key) === folder) this.#folders.delete(key);
    folder.isGone = true;
    this.#closeUnused(folder);
  }

  #closeUnused(folder: OpenFolder): void {
    if (!folder.isGone || folder.users > 0) return;
    folder.isGone = false;
    folder.handle.then((handle) => handle.close()).catch(() => {});
  }
}

/** The path of a name in an open folder. */
function below(folder: number, name: string): Path {
  if (name !== '.') requireName(name);
  const text = hostText(name);
  const prefix = `/proc/self/fd/${folder}/`;
  return typeof text === 'string' ? prefix + text : Buffer.concat([Buffer.from(prefix), text]);
}

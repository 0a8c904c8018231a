/** How the names of a shared folder lead to files of the host, on Linux. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type Path, type Places, requireName } from './host-places.ts';
import { hostText, statusOf } from './host-status.ts';
import type { FileStatus, Way } from './shared-folder.ts';

/** Of open(2) on Linux: a descriptor that only stands for a file, whose opening has no effect on it. */
const O_PATH = 0o10000000;
const PIN = O_PATH | constants.O_NOFOLLOW;
/** How many folders stay open, and for how long: after that, they are looked up again. In ms. */
const MOST_FOLDERS = 512;
const FRESH = 1000;

interface OpenFolder {
  readonly descriptor: number;
  readonly opened: number;
}

/**
 * Each folder is opened in its parent by a descriptor (`/proc/self/fd`), and no link is
 * followed, so neither links nor races lead out of the root.
 */
export class DescriptorPlaces implements Places {
  readonly canPin = true;
  readonly #root: string;
  readonly #folders = new Map<string, OpenFolder>();
  /** Descriptors in paths that still hold. */
  #forgotten: number[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  at(way: Way): Path {
    this.#tidy();
    return this.#path(way);
  }

  atBoth(way: Way, newWay: Way): readonly [Path, Path] {
    this.#tidy();
    return [this.#path(way), this.#path(newWay)];
  }

  folder(way: Way): Path {
    this.#tidy();
    return below(this.#find(way), '.');
  }

  pinned<T>(way: Way, use: (path: Path, status: FileStatus) => T): T {
    const pin = openSync(this.at(way), PIN);
    try {
      return use(`/proc/self/fd/${pin}`, statusOf(fstatSync(pin, { bigint: true })));
    } finally {
      closeSync(pin);
    }
  }

  moved(way: Way): void {
    const key = way.join('/');
    for (const known of this.#folders.keys())
      if (known === key || known.startsWith(`${key}/`)) this.#forget(known);
  }

  close(): void {
    for (const key of this.#folders.keys()) this.#forget(key);
    this.#tidy();
  }

  #path(way: Way): Path {
    return below(this.#find(way.slice(0, -1)), way.at(-1) ?? '.');
  }

  /** The descriptor of a folder. */
  #find(way: Way): number {
    const key = way.join('/');
    const known = this.#folders.get(key);
    if (known && (way.length === 0 || performance.now() - known.opened < FRESH)) return known.descriptor;
    if (known) this.#forget(key);
    const descriptor =
      way.length === 0
        ? openSync(this.#root, O_PATH | constants.O_DIRECTORY)
        : openSync(this.#path(way), PIN | constants.O_DIRECTORY);
    this.#folders.set(key, { descriptor, opened: performance.now() });
    return descriptor;
  }

  /** Closes what no path needs any more. */
  #tidy(): void {
    for (const key of this.#folders.keys()) {
      if (this.#folders.size <= MOST_FOLDERS) break;
      if (key !== '') this.#forget(key);
    }
    for (const descriptor of this.#forgotten) closeSync(descriptor);
    this.#forgotten = [];
  }

  #forget(key: string): void {
    const folder = this.#folders.get(key);
    this.#folders.delete(key);
    if (folder) this.#forgotten.push(folder.descriptor);
  }
}

/** The path of a name in an open folder. */
function below(folder: number, name: string): Path {
  if (name !== '.') requireName(name);
  const text = hostText(name);
  const prefix = `/proc/self/fd/${folder}/`;
  return typeof text === 'string' ? prefix + text : Buffer.concat([Buffer.from(prefix), text]);
}

/** Begins the names of a release's cache, and of the lock that a page of the release holds. */
export const RELEASE_PREFIX = 'linuxrun-release-';

/** Asks the service worker to keep the files of its release, if that is the page's. */
export interface Keep {
  readonly type: 'keep';
  readonly release: string;
  /** The machine's files that the page has used so far. */
  readonly used: readonly string[];
}

/** What the set-up writes into the built page. A page in development has none of it. */
export interface Release {
  /** The version for people, such as `0.1.0 (5f3a2b1)`. */
  readonly version: string | undefined;
  /** An id of all files of the page and the machine. */
  readonly id: string | undefined;
}

export function readRelease(): Release {
  return { version: read('version'), id: read('release') };
}

function read(name: string): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="linuxrun-${name}"]`)?.content;
}

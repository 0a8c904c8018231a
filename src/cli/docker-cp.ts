/** `linuxrun cp`. */
import { constants, createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, stat, symlink } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileError } from '../api/errors.ts';
import type { FileStatus, FolderEntry } from '../api/public.ts';
import type { CpWords, Place } from '../docker/words.ts';
import { encodeBytes, printable } from '../text/byte-text.ts';
import { findContainer, type RemoteContainer } from './client.ts';
import { CommandError } from './errors.ts';
import { Sockets } from './sockets.ts';

/** Without set-user-ID and the like, which a container must not bring here. */
const PERMISSIONS = 0o777;
const { O_CREAT, O_NOFOLLOW = 0, O_TRUNC, O_WRONLY } = constants;

export async function dockerCp({ from, to }: CpWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  const find = ({ container = '' }: Place) => findContainer(sockets, container);
  if (from.container !== undefined) await new CopyOut(await find(from)).copy(from.path, to.path);
  else await new CopyIn(await find(to)).copy(from.path, to.path);
  return 0;
}

/**
 * Decides where a file or folder goes, as Docker does: into an existing folder under its own name, unless the
 * source ends in `/.`, and otherwise to the new name.
 * @param target what is at the destination
 */
function destinationOf(
  source: string,
  isFolder: boolean,
  destination: string,
  target: 'folder' | 'file' | 'nothing',
): string {
  if (target === 'folder')
    return isFolder && /(?:^|\/)\.$/.test(source) ? destination : join(destination, basename(source));
  if (isFolder && target === 'file') throw new CommandError('cannot copy a directory to a file');
  if (!isFolder && /[\\/]$/.test(destination))
    throw new CommandError(`the destination directory ${destination} does not exist`);
  return destination;
}

/** From a container, whose listings are not trusted. */
class CopyOut {
  readonly #container: RemoteContainer;
  /** They are made at last, so that nothing is written through them. */
  readonly #links: { readonly path: string; readonly target: string }[] = [];

  /** As the user named it. */
  #destination = '';

  constructor(container: RemoteContainer) {
    this.#container = container;
  }

  async copy(source: string, destination: string): Promise<void> {
    const path = absolute(source);
    const status = await statRemote(this.#container, path);
    const target = await stat(destination).then(
      (found) => (found.isDirectory() ? ('folder' as const) : ('file' as const)),
      () => 'nothing' as const,
    );
    const to = destinationOf(source, status.type === 'directory', destination, target);
    this.#destination = destination;
    await this.#copyFile(path, status, to);
    for (const { path, target } of this.#links)
      await symlink(local(target), local(path)).catch((error) => warn(`${printable(path)}: ${error.code}`));
  }

  async #copyFile(path: string, status: FileStatus, to: string): Promise<void> {
    if (status.type === 'directory') await this.#copyFolder(path, status, to);
    else if (status.type === 'symlink') this.#links.push({ path: to, target: status.target?.path ?? '' });
    else if (status.type !== 'file') warn(`${printable(path)} is a ${status.type}, which is left out`);
    else {
      const content = await this.#container.read('/file', pathParameter(path));
      const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
      const file = await open(local(to), flags, status.mode & PERMISSIONS);
      await pipeline(content, file.createWriteStream());
    }
  }

  async #copyFolder(path: string, { mode }: FileStatus, to: string): Promise<void> {
    await mkdir(local(to), { mode: (mode & PERMISSIONS) | 0o700 }).catch(async (error) => {
      // An earlier copy may have made a link here, unless the user named this path.
      const found = to === this.#destination ? undefined : await lstat(local(to));
      if (error.code !== 'EEXIST' || found?.isDirectory() === false)
        throw new FileError(`cannot make the folder ${printable(to)}: ${error.code}`, error.code);
    });
    const listing = await this.#container.read('/folder', pathParameter(path));
    for await (const line of linesOf(listing)) {
      const { name, ...status } = JSON.parse(line) as FolderEntry;
      if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name))
        throw new FileError(`the listing of ${printable(path)} has a name that is none`);
      await this.#copyFile(posix.join(path, name), status, join(to, name));
    }
  }
}

class CopyIn {
  readonly #container: RemoteContainer;

  constructor(container: RemoteContainer) {
    this.#container = container;
  }

  async copy(source: string, destination: string): Promise<void> {
    const status = await stat(source).catch((cause) => {
      throw new FileError(`cannot read ${source}: ${cause.code}`, cause.code);
    });
    const path = absolute(destination);
    const target = await statRemote(this.#container, path).then(
      ({ type }) => (type === 'directory' ? ('folder' as const) : ('file' as const)),
      (error) => {
        if (error instanceof FileError && error.code === 'ENOENT') return 'nothing' as const;
        throw error;
      },
    );
    await this.#copyFile(source, destinationOf(source, status.isDirectory(), path, target));
  }

  async #copyFile(source: string, to: string): Promise<void> {
    const status = await stat(source);
    const parameters = { ...pathParameter(to), mode: status.mode & PERMISSIONS };
    if (status.isFile()) return this.#container.write('/file', parameters, createReadStream(source));
    if (!status.isDirectory()) return warn(`${source} is no file, and is left out`);
    await this.#container.call('POST', '/folder', parameters).catch((error) => {
      if (!(error instanceof FileError && error.code === 'EEXIST')) throw error;
    });
    for (const entry of await readdir(source, { withFileTypes: true })) {
      const path = join(source, entry.name);
      if (entry.isSymbolicLink()) warn(`${path} is a link, which is left out`);
      else await this.#copyFile(path, posix.join(to, entry.name));
    }
  }
}

function statRemote(container: RemoteContainer, path: string): Promise<FileStatus> {
  return container.call('GET', '/stat', pathParameter(path));
}

/** As JSON, because names may have bytes that are no UTF-8. */
function pathParameter(path: string): { readonly path: string } {
  return { path: JSON.stringify(path) };
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream.setEncoding('utf8')) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Relative paths of a container begin at its root. */
function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** A path with the bytes of the names in it. */
function local(path: string): string | Buffer {
  return process.platform === 'win32' ? path : Buffer.from(encodeBytes(path));
}

function warn(message: string): void {
  process.stderr.write(`linuxrun: ${message}\n`);
}

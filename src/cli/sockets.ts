/**
 * The sockets of running containers. The process that owns a container listens on `NAME.sock`, in a folder
 * that only its user can enter.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, readdir, rename, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CommandError, STATUS_FAILURE } from './errors.ts';

const SUFFIX = '.sock';
/** The limit of a socket's path is 107 bytes in Linux and 103 in macOS, also with a mark at its name. */
const LONGEST_PATH = 95;
const OTHERS = 0o077;
/** Windows has no sockets in folders that Node could use, but pipes with names. */
const PIPES = '\\\\.\\pipe\\';

type Environment = Readonly<Record<string, string | undefined>>;

/** The place of all sockets of this user. */
export class Sockets {
  /** Undefined on Windows. */
  readonly #folder: string | undefined;

  private constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** @throws CommandError if the folder could be another user's */
  static async open(env: Environment): Promise<Sockets> {
    if (process.platform === 'win32') return new Sockets(undefined);
    const runtime = env.XDG_RUNTIME_DIR ?? '';
    // The variable may name a folder that is gone, or that of the user before sudo.
    const hasRuntime = isAbsolute(runtime) && (await isOwnFolder(runtime));
    const folder = hasRuntime ? join(runtime, 'linuxrun') : join(tmpdir(), `linuxrun-${userInfo().uid}`);
    await makePrivate(folder);
    return new Sockets(folder);
  }

  /** The path of a container's socket. @throws CommandError if it is too long for one */
  pathOf(name: string): string {
    if (this.#folder === undefined) return `${PIPES}linuxrun-${userInfo().username}-${name}`;
    const path = join(this.#folder, name + SUFFIX);
    if (Buffer.byteLength(path) > LONGEST_PATH)
      throw new CommandError(
        `the path ${path} is too long for a socket: shorten --name or XDG_RUNTIME_DIR`,
        STATUS_FAILURE,
      );
    return path;
  }

  /** The names of all sockets, also of dead owners. */
  async names(): Promise<string[]> {
    if (this.#folder !== undefined) {
      const files = await readdir(this.#folder);
      return files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
    }
    const prefix = `linuxrun-${userInfo().username}-`;
    const pipes = await readdir(PIPES);
    return pipes.filter((pipe) => pipe.startsWith(prefix)).map((pipe) => pipe.slice(prefix.length));
  }

  /**
   * Removes the socket of an owner that has died.
   * @returns whether the name is free now
   */
  async removeDead(name: string): Promise<boolean> {
    const path = this.pathOf(name);
    if (await isAlive(path)) return false;
    if (this.#folder === undefined) return true;
    // Another process may have found the same, and have taken the name meanwhile. Its socket goes back.
    const aside = join(this.#folder, `.${randomBytes(4).toString('hex')}-${name}`);
    const isMoved = await rename(path, aside).then(
      () => true,
      () => false,
    );
    if (!isMoved) return true;
    const isTaken = await isAlive(aside);
    if (isTaken) await link(aside, path).catch(() => {});
    await unlink(aside).catch(() => {});
    return !isTaken;
  }
}

function isOwnFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory() && status.uid === userInfo().uid,
    () => false,
  );
}

/**
 * Makes a folder that only this user can enter, or checks that an existing one is.
 * @throws CommandError
 */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch(({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EEXIST')
      throw new CommandError(`cannot make the folder ${folder}: ${code}`, STATUS_FAILURE);
  });
  const status = await lstat(folder);
  if (status.isDirectory() && status.uid === userInfo().uid && (status.mode & OTHERS) === 0) return;
  throw new CommandError(
    `${folder} is not a folder that only you can enter: remove it, or set XDG_RUNTIME_DIR to such a folder`,
    STATUS_FAILURE,
  );
}

/** Whether a process listens on a socket. One that listens, but does not answer, counts. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

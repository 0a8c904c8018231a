/**
 * The sockets of running containers. The process that owns a container listens on `NAME.sock`, in a folder
 * that only its user can enter.
 */
import { lstat, mkdir, readdir, stat, unlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError, STATUS_FAILURE } from './errors.ts';

const SUFFIX = '.sock';
/** The limit of a socket's path is 107 bytes in Linux and 103 in macOS. */
const LONGEST_PATH = 103;
const OTHERS = 0o077;
/** The file whose maker may change the folder. */
const LOCK = '.lock';
/** A change takes milliseconds, in ms. */
const LONGEST_LOCK = 10_000;
const LOCK_INTERVAL = 20;
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
   * Takes a name, also that of an owner that has died.
   * @param listen listens on the path; rejects with the code EADDRINUSE if there is a socket
   * @returns whether the name was free
   */
  claim(name: string, listen: (path: string) => Promise<void>): Promise<boolean> {
    const path = this.pathOf(name);
    const attempt = () =>
      listen(path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EADDRINUSE') return false;
          throw new CommandError(`cannot listen on ${path}: ${error.code}`, STATUS_FAILURE, { cause: error });
        },
      );
    return this.#locked(async () => (await attempt()) || ((await this.#remove(path)) && attempt()));
  }

  /**
   * Removes the socket of an owner that has died.
   * @returns whether the name is free now
   */
  async removeDead(name: string): Promise<boolean> {
    const path = this.pathOf(name);
    if (await isAlive(path)) return false;
    return this.#locked(() => this.#remove(path));
  }

  async #remove(path: string): Promise<boolean> {
    if (await isAlive(path)) return false;
    if (this.#folder !== undefined) await unlink(path).catch(() => {});
    return true;
  }

  /** Runs one change of the folder at a time. Otherwise two processes could remove each other's sockets. */
  async #locked<T>(change: () => Promise<T>): Promise<T> {
    if (this.#folder === undefined) return change();
    const lock = join(this.#folder, LOCK);
    while (!(await makeLock(lock))) await delay(LOCK_INTERVAL);
    try {
      return await change();
    } finally {
      await unlink(lock).catch(() => {});
    }
  }
}

/** @returns whether this process has the lock now */
async function makeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, '', { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new CommandError(`cannot write ${lock}: ${code}`, STATUS_FAILURE);
  }
  const status = await stat(lock).catch(() => undefined);
  // Its process was killed.
  if (status && Date.now() - status.mtimeMs > LONGEST_LOCK) await unlink(lock).catch(() => {});
  return false;
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

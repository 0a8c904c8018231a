/** A shared folder in another thread: the two ends of a message channel. */
import { PortCalls, sendAnswer } from './port-calls.ts';
import {
  type Access,
  type Capacity,
  type Changes,
  type ExtendedAttributes,
  type FileStatus,
  type FolderEntry,
  FolderError,
  type OpenFile,
  type Owner,
  type RenameRule,
  type SharedFolder,
  type Way,
} from './shared-folder.ts';

type FolderMethod = Exclude<keyof SharedFolder, 'attributes'>;
type FileMethod = keyof OpenFile;
type AttributeMethod = keyof ExtendedAttributes;

/** The first message of `serveFolder` says whether there are extended attributes. */
type Call = { readonly id: number; readonly args: readonly unknown[] } & (
  | { readonly of: 'folder'; readonly method: FolderMethod }
  | { readonly of: 'attributes'; readonly method: AttributeMethod }
  | { readonly of: 'file'; readonly method: FileMethod; readonly file: number }
);

/** Methods that open a file: their answer is its number. */
const OPENING: readonly string[] = ['open', 'create'];

/** Carries out the calls of a `RemoteFolder` at the other end, until the port is closed. */
export function serveFolder(folder: SharedFolder, port: MessagePort): void {
  const files = new Map<number, OpenFile>();
  let next = 0;
  const perform = async (call: Call): Promise<unknown> => {
    if (call.of === 'file') {
      const file = files.get(call.file);
      if (!file) throw new FolderError('EBADF');
      if (call.method === 'close') files.delete(call.file);
      return performOnFile(file, call.method, call.args);
    }
    const target = call.of === 'folder' ? folder : folder.attributes;
    if (!target) throw new FolderError('EOPNOTSUPP');
    const method = (target as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[
      call.method
    ];
    if (!method) throw new FolderError('ENOSYS');
    const value = await method.apply(target, call.args as unknown[]);
    if (call.of !== 'folder' || !OPENING.includes(call.method)) return value;
    files.set(next, value as OpenFile);
    return next++;
  };
  port.onmessage = ({ data }: MessageEvent<Call>) => void sendAnswer(port, data.id, perform(data));
}

async function performOnFile(file: OpenFile, method: FileMethod, args: readonly unknown[]): Promise<unknown> {
  if (method === 'read') {
    const [position, length] = args as [number, number];
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await file.read(position, [bytes]));
  }
  return (file[method] as (...args: readonly unknown[]) => Promise<unknown>).apply(file, args as unknown[]);
}

/** The folder at the other end of a port, which `serveFolder` has. */
export class RemoteFolder implements SharedFolder {
  readonly #port: MessagePort;
  readonly #calls: PortCalls<Call>;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#calls = new PortCalls(port);
  }

  readonly attributes: ExtendedAttributes = {
    get: (...args) => this.#callAttributes('get', args),
    set: (...args) => this.#callAttributes('set', args),
    list: (...args) => this.#callAttributes('list', args),
    remove: (...args) => this.#callAttributes('remove', args),
  };

  status(way: Way): Promise<FileStatus> {
    return this.#call('status', [way]);
  }

  list(way: Way): Promise<readonly FolderEntry[]> {
    return this.#call('list', [way]);
  }

  open(way: Way, access: Access): Promise<OpenFile> {
    return this.#open('open', [way, access]);
  }

  create(way: Way, mode: number, owner: Owner): Promise<OpenFile> {
    return this.#open('create', [way, mode, plain(owner)]);
  }

  make(way: Way, mode: number, owner: Owner): Promise<void> {
    return this.#call('make', [way, mode, plain(owner)]);
  }

  makeLink(way: Way, target: string, owner: Owner): Promise<void> {
    return this.#call('makeLink', [way, target, plain(owner)]);
  }

  readLink(way: Way): Promise<string> {
    return this.#call('readLink', [way]);
  }

  link(way: Way, newWay: Way): Promise<void> {
    return this.#call('link', [way, newWay]);
  }

  remove(way: Way): Promise<void> {
    return this.#call('remove', [way]);
  }

  removeFolder(way: Way): Promise<void> {
    return this.#call('removeFolder', [way]);
  }

  rename(way: Way, newWay: Way, rule: RenameRule): Promise<void> {
    return this.#call('rename', [way, newWay, rule]);
  }

  change(way: Way, changes: Changes): Promise<void> {
    return this.#call('change', [way, changes]);
  }

  syncFolder(way: Way): Promise<void> {
    return this.#call('syncFolder', [way]);
  }

  capacity(): Promise<Capacity> {
    return this.#call('capacity', []);
  }

  /** The folder itself stays open, because it belongs to the other thread. */
  async close(): Promise<void> {
    await this.syncFolder([]);
    this.#port.close();
  }

  async #open(method: 'open' | 'create', args: readonly unknown[]): Promise<OpenFile> {
    const file = await this.#call<number>(method, args);
    const call = <T>(name: FileMethod, ...rest: readonly unknown[]): Promise<T> =>
      this.#calls.make({ of: 'file', file, method: name, args: rest });
    return {
      status: () => call('status'),
      read: async (position, into) => {
        const length = into.reduce((sum, bytes) => sum + bytes.length, 0);
        return spread(await call<Uint8Array>('read', position, length), into);
      },
      // Copies, because other threads must not see the guest's memory change.
      write: (position, from) =>
        call(
          'write',
          position,
          from.map((bytes) => new Uint8Array(bytes)),
        ),
      change: (changes) => call('change', changes),
      sync: (contentOnly) => call('sync', contentOnly),
      close: () => call('close'),
    };
  }

  #call<T>(method: FolderMethod, args: readonly unknown[]): Promise<T> {
    return this.#calls.make({ of: 'folder', method, args });
  }

  #callAttributes<T>(method: AttributeMethod, args: readonly unknown[]): Promise<T> {
    return this.#calls.make({ of: 'attributes', method, args });
  }
}

/** Without what else the object has. */
function plain({ user, group }: Owner): Owner {
  return { user, group };
}

/** Copies bytes into buffers; returns their number. */
function spread(bytes: Uint8Array, into: readonly Uint8Array[]): number {
  let at = 0;
  for (const buffer of into) {
    const piece = bytes.subarray(at, at + buffer.length);
    buffer.set(piece);
    at += piece.length;
  }
  return at;
}

import {
  browserFolders,
  type FolderEntry as Entry,
  isFolder,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type SharedFolder,
  type Way,
} from '../../api/folders.ts';
import type { BrowserFolderItem } from '../../api/public.ts';
import { checkContainerName } from '../../options/container-name.mjs';
import { zipFolder } from './zip.ts';

const ROOT = { user: 0, group: 0 };
const PIECE = 1 << 20;
const NANOSECONDS_PER_MS = 1_000_000n;

/** The folders that the browser keeps, for the page. Errors cross to the page by their messages. */
export class BrowserFolders {
  list(): Promise<BrowserFolderItem[]> {
    return browserFolders.list();
  }

  /** @throws OptionError, StorageError */
  create(name: string): Promise<void> {
    checkContainerName(name);
    return browserFolders.use(name, (folder) => folder.syncFolder());
  }

  remove(name: string): Promise<void> {
    return browserFolders.remove(name);
  }

  /** Packs a folder with all that is in it. */
  zip(name: string): Promise<Blob> {
    return browserFolders.use(name, async (folder) => {
      const options = { signal: new AbortController().signal, meter: (content: ReadableStream) => content };
      return (await zipFolder(filesOf(folder), '', name, options)).blob;
    });
  }

  /** Copies files into a new folder. Each path begins with the name of the folder that was picked. */
  fill(name: string, files: readonly { readonly path: string; readonly file: File }[]): Promise<void> {
    return browserFolders.use(name, async (folder) => {
      for (const { path, file } of files) await copyInto(folder, path.split('/').slice(1), file);
    });
  }
}

async function copyInto(folder: SharedFolder, way: Way, file: File): Promise<void> {
  for (let depth = 1; depth < way.length; depth++)
    await folder.make(way.slice(0, depth), S_IFDIR | 0o755, ROOT).catch(ignoreExisting);
  const copy = await folder.create(way, S_IFREG | 0o644, ROOT);
  try {
    for (let at = 0; at < file.size; at += PIECE)
      await copy.write(at, [new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer())]);
    await copy.change({ modified: BigInt(file.lastModified) * NANOSECONDS_PER_MS });
  } finally {
    await copy.close();
  }
}

function ignoreExisting(error: unknown): void {
  if ((error as { code?: string }).code !== 'EEXIST') throw error;
}

/** A folder as `zipFolder` reads it. Paths begin with a slash. */
function filesOf(folder: SharedFolder): Parameters<typeof zipFolder>[0] {
  return {
    async *opendir(path) {
      const way = wayOf(path);
      for (const { name, type } of await folder.list(way)) yield await entryOf(folder, way, { name, type });
    },
    createReadStream(path) {
      let at = 0;
      const opened = folder.open(wayOf(path), { read: true, write: false, truncate: false });
      return new ReadableStream(
        {
          async pull(controller) {
            const bytes = new Uint8Array(PIECE);
            const count = await (await opened).read(at, [bytes]);
            at += count;
            if (count > 0) controller.enqueue(bytes.subarray(0, count));
            else controller.close();
            if (count === 0) await (await opened).close();
          },
          cancel: async () => (await opened).close(),
        },
        { highWaterMark: 0 },
      );
    },
  };
}

function wayOf(path: string): Way {
  return path.split('/').filter((name) => name !== '');
}

async function entryOf(folder: SharedFolder, way: Way, { name }: Entry) {
  const { mode, size, user, group, modified, links } = await folder.status([...way, name]);
  const type = isFolder(mode) ? 'directory' : (TYPES[mode & S_IFMT] ?? 'socket');
  const target =
    type === 'symlink' ? { path: await folder.readLink([...way, name]), type: undefined } : undefined;
  const mtime = new Date(Number(modified / NANOSECONDS_PER_MS));
  return {
    name,
    type,
    mode,
    size,
    uid: user,
    gid: group,
    nlink: links,
    mtime,
    target,
    isMountPoint: false,
  } as const;
}

const TYPES: Readonly<Record<number, 'file' | 'symlink'>> = { [S_IFREG]: 'file', [S_IFLNK]: 'symlink' };

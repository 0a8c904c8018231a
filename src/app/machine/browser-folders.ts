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
import { LARGEST_MANIFEST, MANIFEST, type Project, readStoredProject } from '../model/project.ts';
import { zipFolder } from './zip.ts';

const ROOT = { user: 0, group: 0 };
const PIECE = 1 << 20;
/** Permissions: of copied files, of what everybody may change, and the part that lets it be executed. */
const COPIED = 0o644;
const EVERYBODY = 0o777;
const EXECUTE = 0o111;
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

  /**
   * Puts the files of a project into a folder, unless it has a project already. Containers of any user may
   * change them.
   */
  seed(name: string, { files, manifest }: Pick<Project, 'files' | 'manifest'>): Promise<void> {
    return browserFolders.use(name, async (folder) => {
      if (await has(folder, [MANIFEST])) return;
      await folder.change([], { mode: EVERYBODY });
      for (const { path, content, isExecutable, target } of files) {
        const way = wayOf(path);
        const mode = isExecutable ? EVERYBODY : EVERYBODY & ~EXECUTE;
        if (target === undefined) await write(folder, way, blobOf(content), mode);
        else {
          await makeParents(folder, way, EVERYBODY);
          await folder.makeLink(way, target, ROOT);
        }
      }
      // It comes last, so that a folder that has it is complete.
      await write(folder, [MANIFEST], blobOf(manifest), EVERYBODY & ~EXECUTE);
      await folder.syncFolder();
    });
  }

  /** Reads the project in a folder, if it has one. @throws ProjectError */
  readProject(name: string): Promise<Project | undefined> {
    return browserFolders.use(name, async (folder) => {
      if (!(await has(folder, [MANIFEST]))) return undefined;
      const { size } = await folder.status([MANIFEST]);
      const manifest = await folder.open([MANIFEST], { read: true, write: false, truncate: false });
      const bytes = new Uint8Array(Math.min(size, LARGEST_MANIFEST + 1));
      await manifest.read(0, [bytes]);
      await manifest.close();
      const project = readStoredProject(name, bytes);
      const open = await Promise.all(project.open.map((path) => has(folder, wayOf(path))));
      return { ...project, open: project.open.filter((_, index) => open[index]) };
    });
  }

  /** Copies files into a new folder. Each path begins with the name of the folder that was picked. */
  fill(name: string, files: readonly { readonly path: string; readonly file: File }[]): Promise<void> {
    return browserFolders.use(name, async (folder) => {
      for (const { path, file } of files) await write(folder, path.split('/').slice(1), file, COPIED);
    });
  }
}

/** @param mode of the file; folders can also be entered by those who can read it */
async function write(folder: SharedFolder, way: Way, file: Blob, mode: number): Promise<void> {
  await makeParents(folder, way, mode | ((mode >> 2) & EXECUTE));
  const copy = await folder.create(way, S_IFREG | mode, ROOT);
  try {
    for (let at = 0; at < file.size; at += PIECE)
      await copy.write(at, [new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer())]);
    if (file instanceof File) await copy.change({ modified: BigInt(file.lastModified) * NANOSECONDS_PER_MS });
  } finally {
    await copy.close();
  }
}

function blobOf(bytes: Uint8Array): Blob {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]);
}

async function makeParents(folder: SharedFolder, way: Way, mode: number): Promise<void> {
  for (let depth = 1; depth < way.length; depth++)
    await folder.make(way.slice(0, depth), S_IFDIR | mode, ROOT).catch(ignoreExisting);
}

function has(folder: SharedFolder, way: Way): Promise<boolean> {
  return folder.status(way).then(
    () => true,
    () => false,
  );
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

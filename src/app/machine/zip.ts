import { FileError } from '../../api/errors.ts';
import type { ContainerFs, FolderEntry } from '../../api/public.ts';
import { begun } from '../../streams/begun.ts';
import { encodeBytes, printable } from '../../text/byte-text.ts';
import { join } from '../model/tree.ts';

export interface Zipped {
  readonly blob: Blob;
  /** The number of files in it. */
  readonly files: number;
  /** The number of files and folders that were left out. */
  readonly skipped: number;
}

interface ZipOptions {
  readonly signal: AbortSignal;
  /** Every file's content goes through it. */
  readonly meter: (content: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;
  /** A file that comes first, in place of one that has its name in the folder. */
  readonly first?: { readonly name: string; readonly text: string } | undefined;
}

const REGULAR = 0o100000;
const FOLDER = 0o040000;
const LINK = 0o120000;
const PERMISSIONS = 0o777;
/** The years that zip archives can express. */
const [FIRST_TIME, LAST_TIME] = [Date.UTC(1980, 0, 2), Date.UTC(2107, 11, 30)];

/**
 * Packs a folder of a container with all that is in it. Links stay links. Left out are sockets and devices,
 * file systems that are mounted in the folder, and what cannot be read.
 * @param name the folder's name in the archive
 * @throws FileError if the folder itself cannot be read, or a file only in part; the signal's reason
 */
export async function zipFolder(
  fs: Pick<ContainerFs, 'opendir' | 'createReadStream'>,
  path: string,
  name: string,
  { signal, meter, first }: ZipOptions,
): Promise<Zipped> {
  const { BlobWriter, configure, TextReader, Uint8ArrayReader, ZipWriter } = await import(
    '@zip.js/zip.js/lib/zip-core-custom.js'
  );
  configure({ useWebWorkers: false });
  const archive = new ZipWriter(new BlobWriter('application/zip'), { signal, keepOrder: false });
  const names = new Names();
  const folders = [{ path, name: names.take('', name) }];
  if (first) await archive.add(names.take(`${name}/`, first.name), new TextReader(first.text));
  let [files, skipped] = [0, 0];

  const addFile = async (entry: FolderEntry, from: string, to: string) => {
    const content = await begun(fs.createReadStream(from, { signal }));
    await archive.add(to, meter(content), attributesOf(entry, REGULAR));
    files++;
  };
  const addEntry = async (folder: { path: string; name: string }, entry: FolderEntry) => {
    const from = join(folder.path, entry.name);
    const to = () => names.take(`${folder.name}/`, entry.name);
    if (entry.type === 'directory' && !entry.isMountPoint) {
      folders.push({ path: from, name: to() });
    } else if (entry.type === 'symlink') {
      const target = new Uint8ArrayReader(encodeBytes(entry.target?.path ?? ''));
      await archive.add(to(), target, attributesOf(entry, LINK));
      files++;
    } else if (entry.type === 'file') {
      await addFile(entry, from, to());
    } else {
      skipped++;
    }
  };
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    signal.throwIfAborted();
    await archive.add(`${folder.name}/`, undefined, { directory: true, unixMode: FOLDER | 0o755 });
    try {
      for await (const entry of fs.opendir(folder.path)) {
        signal.throwIfAborted();
        if (folder.path === path && entry.name === first?.name) continue;
        await addEntry(folder, entry).catch(skip);
      }
    } catch (error) {
      if (folder.path === path) throw error;
      skip(error);
    }
  }
  return { blob: await archive.close(), files, skipped };

  function skip(error: unknown): void {
    if (!(error instanceof FileError)) throw error;
    skipped++;
  }
}

function attributesOf({ mtime, mode }: FolderEntry, type: number) {
  const time = Math.max(FIRST_TIME, Math.min(LAST_TIME, mtime.getTime()));
  return { lastModDate: new Date(time), unixMode: type | (mode & PERMISSIONS) };
}

/** Names of an archive, which lead nowhere else when it is unpacked, whatever the guest calls its files. */
class Names {
  readonly #taken = new Set<string>();

  take(prefix: string, name: string): string {
    // Windows takes a backslash for a slash.
    const safe = prefix + (printable(name).replaceAll(/[\\/]/g, '_') || '_');
    let unique = safe;
    for (let number = 2; this.#taken.has(unique); number++) unique = `${safe} (${number})`;
    this.#taken.add(unique);
    return unique;
  }
}

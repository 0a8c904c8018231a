/** Archives of projects, which may come from strangers: zips, and tars with any compression of images. */
import type { Entry } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { ImageError } from '../../api/errors.ts';
import type { NewFile } from '../../api/kept.ts';
import { readTarFiles, type TarFiles } from '../../api/tar-files.ts';
import { clean } from '../../text/message.ts';
import {
  isProject,
  MOST_BYTES,
  MOST_FILES,
  type Project,
  ProjectError,
  readProject,
  tooLarge,
} from '../model/project.ts';
import { isZip } from '../model/zip-file.ts';

/** Folders have entries too. */
const MOST_ENTRIES = 2 * MOST_FILES;
/** Headers and padding of a tar. */
const MOST_TAR_BYTES = MOST_BYTES + (MOST_ENTRIES << 11);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the project in an archive.
 * @returns undefined if it may be the archive of an image
 * @throws ProjectError
 */
export async function readArchive(file: Blob): Promise<Project | undefined> {
  if (await isZip(file)) return readProject(await readZip(file));
  if (file.size > MOST_BYTES) return undefined;
  const { files, other } = await readTar(file);
  if (!isProject(files)) return undefined;
  if (other !== undefined)
    throw new ProjectError(`${clean(other)} is neither a file, nor a folder, nor a symbolic link`);
  return readProject(files);
}

async function readTar(file: Blob): Promise<TarFiles> {
  try {
    return await readTarFiles(file.stream(), { bytes: MOST_TAR_BYTES, entries: MOST_ENTRIES });
  } catch (error) {
    if (error instanceof ImageError) return { files: [], other: undefined };
    throw error;
  }
}

async function readZip(file: Blob): Promise<NewFile[]> {
  const { BlobReader, configure, ZipReader } = await import('@zip.js/zip.js/lib/zip-core-custom.js');
  if (file.size > MOST_BYTES) throw tooLarge();
  configure({ useWebWorkers: false });
  const files: NewFile[] = [];
  const left = { entries: MOST_ENTRIES, bytes: MOST_BYTES };
  try {
    for await (const entry of new ZipReader(new BlobReader(file)).getEntriesGenerator()) {
      if (left.entries-- === 0) throw new ProjectError(`it has more than ${MOST_ENTRIES} entries`);
      if (!entry.directory) files.push(await readEntry(entry, left));
    }
  } catch (error) {
    if (error instanceof ProjectError) throw error;
    throw new ProjectError(`the archive is damaged, or of a kind that this page does not read`);
  }
  return files;
}

/** Unpacks no more bytes than are left, whatever the archive says of its sizes. */
async function readEntry(
  entry: Exclude<Entry, { directory: true }>,
  left: { bytes: number },
): Promise<NewFile> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(part) {
      left.bytes -= part.length;
      if (left.bytes < 0) throw tooLarge();
      // The reader may use the buffer again.
      parts.push(part.slice());
    },
  });
  await entry.getData(writable, { checkSignature: true }).catch((error: unknown) => {
    throw left.bytes < 0 ? tooLarge() : error;
  });
  const content = new Uint8Array(await new Blob(parts).arrayBuffer());
  const { filename: path, executable: isExecutable, symlink } = entry;
  if (!symlink) return { path, content, isExecutable };
  return { path, content: new Uint8Array(), isExecutable: false, target: utf8.decode(content) };
}

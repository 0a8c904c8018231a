import { FileError } from '../../api/errors.ts';
import type { FolderEntry, RunningContainer } from '../../api/public.ts';
import { begun } from '../../streams/begun.ts';
import { MANIFEST, MOST_BYTES, MOST_FILES, tooLarge, tooMany } from '../model/project.ts';
import { decodeText, LARGEST_TEXT } from '../model/text-file.ts';
import { readAtMost } from './read-at-most.ts';
import { type Hit, type SearchRequest, type SearchResult, searchFiles } from './search.ts';
import { type Zipped, zipFolder } from './zip.ts';

export interface Listing {
  readonly entries: readonly FolderEntry[];
  /** Whether the folder has more than these. */
  readonly hasMore: boolean;
}

/** The text of a file, or why it has none. */
export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary' | 'large' | 'missing' };

/** Takes the number of bytes that have been transferred so far. */
export type OnBytes = (bytes: number) => void;

/** The shortest time between two reports of a transfer, in ms. */
const REPORT_INTERVAL = 100;

/** As many links as Linux follows. */
const MOST_LINKS = 40;

/** Without a type of its own, browsers would give a downloaded file another name. */
const UNKNOWN_CONTENT = 'application/octet-stream';

/** The files of a project that has only settings. */
const EMPTY: Parameters<typeof zipFolder>[0] = {
  async *opendir() {},
  createReadStream: () => new ReadableStream(),
};

/** A container's files, for the page. The page numbers what can be cancelled. */
export class ContainerFiles {
  readonly #container: () => RunningContainer;
  readonly #jobs = new Map<number, AbortController>();

  /** @param container gives the running container, or throws */
  constructor(container: () => RunningContainer) {
    this.#container = container;
  }

  currentDir(): string {
    return this.#container().currentDir;
  }

  /** Lists the first files of a folder. @throws FileError */
  async list(path: string, limit: number): Promise<Listing> {
    const entries: FolderEntry[] = [];
    for await (const entry of this.#container().fs.opendir(path)) {
      if (entries.length === limit) return { entries, hasMore: true };
      entries.push(entry);
    }
    return { entries, hasMore: false };
  }

  /** @throws FileError */
  async exists(path: string): Promise<boolean> {
    try {
      await this.#container().fs.lstat(path);
      return true;
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  /** @param recursive makes missing parents too, and accepts a folder that exists @throws FileError */
  makeFolder(path: string, recursive: boolean): Promise<void> {
    return this.#container().fs.mkdir(path, { recursive });
  }

  /** Makes an empty file. @throws FileError */
  async makeFile(path: string): Promise<void> {
    if (await this.exists(path)) throw new FileError('there is a file of that name already', 'EEXIST');
    await this.#container().fs.writeFile(path, '');
  }

  /** Reads a file for the editor. @throws FileError */
  async readText(path: string): Promise<FileText> {
    try {
      const { type, size } = await this.#container().fs.stat(path);
      if (type !== 'file') throw new FileError('this is no file', 'EINVAL');
      const bytes =
        size > LARGEST_TEXT ? undefined : await readAtMost(this.#container().fs, path, LARGEST_TEXT);
      if (!bytes) return { kind: 'large' };
      const text = decodeText(bytes);
      return text === undefined ? { kind: 'binary' } : { kind: 'text', text };
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return { kind: 'missing' };
      throw error;
    }
  }

  /**
   * Writes a file whose content is still the one that the editor has read. Its mode and owner stay.
   * @param base the text that was read; null if there was no file
   * @returns undefined, or what the file has instead, unwritten
   * @throws FileError, which leaves the file as it was
   */
  async writeText(path: string, text: string, base: string | null): Promise<FileText | undefined> {
    const present = await this.readText(path);
    const isAsRead =
      base === null ? present.kind === 'missing' : present.kind === 'text' && present.text === base;
    if (!isAsRead) return present;
    await this.#container().fs.writeFile(await this.#followLinks(path), text);
    return undefined;
  }

  /** Returns the file that a path leads to, because a write would replace a link at its end. */
  async #followLinks(path: string): Promise<string> {
    let end = path;
    for (let links = 0; links < MOST_LINKS && (await this.exists(end)); links++) {
      const { target } = await this.#container().fs.lstat(end);
      if (!target) break;
      end = target.path.startsWith('/')
        ? target.path
        : `${end.slice(0, end.lastIndexOf('/'))}/${target.path}`;
    }
    return end;
  }

  /** Finds names and texts. @throws FileError, or the reason of its cancellation */
  search(job: number, request: SearchRequest, onHits: (hits: Hit[]) => void): Promise<SearchResult> {
    return this.#cancellable(job, (signal) => searchFiles(this.#container(), request, signal, onHits));
  }

  /** Tells the names in a folder that have changed, until the job is cancelled. @throws FileError */
  watch(job: number, folder: string, onChange: (name: string) => void): Promise<void> {
    return this.#cancellable(job, async (signal) => {
      for await (const { filename } of this.#container().fs.watch(folder, { signal })) onChange(filename);
    });
  }

  /** @throws FileError */
  rename(path: string, newPath: string): Promise<void> {
    return this.#container().fs.rename(path, newPath);
  }

  /** Removes a file, or a folder with its contents. @throws FileError */
  remove(job: number, path: string): Promise<void> {
    return this.#cancellable(job, (signal) => this.#container().fs.rm(path, { recursive: true, signal }));
  }

  /** @throws FileError */
  upload(job: number, path: string, file: File, onBytes: OnBytes): Promise<void> {
    const content = file.stream().pipeThrough(meter(onBytes));
    return this.#cancellable(job, (signal) => this.#container().fs.writeFile(path, content, { signal }));
  }

  /** @throws FileError */
  download(job: number, path: string, onBytes: OnBytes): Promise<Blob> {
    return this.#cancellable(job, async (signal) => {
      const content = await begun(this.#container().fs.createReadStream(path, { signal }));
      const headers = { 'Content-Type': UNKNOWN_CONTENT };
      return new Response(content.pipeThrough(meter(onBytes)), { headers }).blob();
    });
  }

  /** @param name the folder's name in the archive @throws FileError */
  downloadFolder(job: number, path: string, name: string, onBytes: OnBytes): Promise<Zipped> {
    let before = 0;
    const ofAll = (content: ReadableStream<Uint8Array>) => {
      const start = before;
      return content.pipeThrough(
        meter((bytes) => {
          before = start + bytes;
          onBytes(before);
        }),
      );
    };
    return this.#cancellable(job, (signal) =>
      zipFolder(this.#container().fs, path, name, { signal, meter: ofAll }),
    );
  }

  /**
   * Packs a project, in a folder of its name.
   * @param folder with its files, if it has any
   * @param manifest the text of its `linuxrun.json`
   * @throws FileError; ProjectError if it is larger than a project may be
   */
  async packProject(folder: string | undefined, name: string, manifest: string): Promise<Blob> {
    const { fs } = this.#container();
    let bytes = 0;
    const meter = () =>
      new TransformStream<Uint8Array, Uint8Array>({
        transform(part, controller) {
          bytes += part.length;
          if (bytes > MOST_BYTES) controller.error(tooLarge());
          else controller.enqueue(part);
        },
      });
    const { blob, files } = await zipFolder(folder === undefined ? EMPTY : fs, folder ?? '/', name, {
      signal: new AbortController().signal,
      meter: (content) => content.pipeThrough(meter()),
      first: { name: MANIFEST, text: manifest },
    });
    if (files > MOST_FILES) throw tooMany();
    return blob;
  }

  cancel(job: number): void {
    this.#jobs.get(job)?.abort(new DOMException('cancelled', 'AbortError'));
  }

  async #cancellable<T>(job: number, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    this.#jobs.set(job, abort);
    try {
      return await action(abort.signal);
    } finally {
      this.#jobs.delete(job);
    }
  }
}

/** Counts the bytes that pass, and reports them at intervals and at the end. */
function meter(onBytes: OnBytes): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  let reported = performance.now();
  return new TransformStream({
    transform(part, controller) {
      bytes += part.length;
      controller.enqueue(part);
      if (performance.now() - reported < REPORT_INTERVAL) return;
      reported = performance.now();
      onBytes(bytes);
    },
    flush: () => onBytes(bytes),
  });
}

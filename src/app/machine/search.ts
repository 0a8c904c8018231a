/** Finds names and texts in the files of a container. */
import type { FolderEntry, RunningContainer } from '../../api/public.ts';
import { chunks } from '../../streams/chunks.ts';
import { decodeText, LARGEST_TEXT } from '../model/text-file.ts';
import { join } from '../model/tree.ts';

export interface SearchRequest {
  /** The folder in which, and below which, it is searched. */
  readonly folder: string;
  readonly text: string;
  readonly matchesCase: boolean;
}

/** A place where the text was found. */
export interface Hit {
  readonly path: string;
  /** The number of the line, from 1 on; 0 if the name of the file has the text. */
  readonly line: number;
  /** Where the text begins in the line. */
  readonly column: number;
  /** The line, or its part around the text. */
  readonly excerpt: string;
}

export interface SearchResult {
  /** Whether there is more than was searched or told. */
  readonly isCut: boolean;
  /** The folders and files that could not be read. */
  readonly skipped: number;
}

const MOST_HITS = 1000;
const MOST_ENTRIES = 100_000;
/** More from one file would hide the others. */
const MOST_LINES = 100;
const LONGEST_EXCERPT = 200;
/** What one process searches: files, and characters of their paths. */
const BATCH_FILES = 400;
const BATCH_CHARACTERS = 32 * 1024;
/** The shell's statuses for a program that is missing or cannot run. */
const NOT_STARTED = [126, 127];

type SearchedContainer = Pick<RunningContainer, 'exec' | 'fs'>;

/**
 * Searches until everything is found, there is too much, or the signal aborts it. Links, mounted file
 * systems, and files that the editor does not open are left out.
 * @throws FileError if the folder itself cannot be read, or the signal's reason
 */
export async function searchFiles(
  container: SearchedContainer,
  { folder, text, matchesCase }: SearchRequest,
  signal: AbortSignal,
  onHits: (hits: Hit[]) => void,
): Promise<SearchResult> {
  const search = new Search(container, text, matchesCase, signal, onHits);
  return search.run(folder);
}

class Search {
  readonly #container: SearchedContainer;
  readonly #text: string;
  readonly #matchesCase: boolean;
  readonly #signal: AbortSignal;
  readonly #onHits: (hits: Hit[]) => void;
  #hits = 0;
  #entries = 0;
  #skipped = 0;
  #isCut = false;
  #hasGrep = true;
  #batch: string[] = [];
  #characters = 0;

  constructor(
    container: SearchedContainer,
    text: string,
    matchesCase: boolean,
    signal: AbortSignal,
    onHits: (hits: Hit[]) => void,
  ) {
    this.#container = container;
    this.#text = matchesCase ? text : text.toLowerCase();
    this.#matchesCase = matchesCase;
    this.#signal = signal;
    this.#onHits = onHits;
  }

  async run(top: string): Promise<SearchResult> {
    const folders = [top];
    for (let folder = folders.shift(); folder !== undefined && !this.#isCut; folder = folders.shift())
      try {
        await this.#walk(folder, folders);
      } catch (error) {
        this.#signal.throwIfAborted();
        if (folder === top) throw error;
        this.#skipped++;
      }
    await this.#searchBatch();
    return { isCut: this.#isCut, skipped: this.#skipped };
  }

  async #walk(folder: string, folders: string[]): Promise<void> {
    for await (const entry of this.#container.fs.opendir(folder)) {
      this.#signal.throwIfAborted();
      this.#isCut ||= ++this.#entries > MOST_ENTRIES;
      if (this.#isCut) return;
      const path = join(folder, entry.name);
      const column = this.#columnIn(entry.name);
      if (column >= 0) this.#tell([{ path, line: 0, column, excerpt: entry.name }]);
      if (entry.type === 'directory' && !entry.isMountPoint) folders.push(path);
      if (isSearchable(entry)) await this.#add(path);
    }
  }

  async #add(path: string): Promise<void> {
    // Lines of grep could not be told apart, or the name cannot be an argument.
    if (/[\n\udc80-\udcff]/.test(path)) {
      this.#skipped++;
      return;
    }
    this.#batch.push(path);
    this.#characters += path.length;
    if (this.#batch.length >= BATCH_FILES || this.#characters > BATCH_CHARACTERS) await this.#searchBatch();
  }

  async #searchBatch(): Promise<void> {
    const files = this.#batch;
    this.#batch = [];
    this.#characters = 0;
    if (files.length === 0 || this.#isCut) return;
    if (this.#hasGrep) this.#hasGrep = await this.#grep(files);
    if (!this.#hasGrep) await this.#read(files);
  }

  /** Lets the container's own program search. @returns whether it has one */
  async #grep(files: readonly string[]): Promise<boolean> {
    const enough = new AbortController();
    const signal = AbortSignal.any([this.#signal, enough.signal]);
    const flags = `-nHF${this.#matchesCase ? '' : 'i'}`;
    const child = this.#container.exec(
      ['grep', flags, '-m', `${MOST_LINES}`, '-e', this.#text, '--', ...files],
      {
        ...{ user: '0:0', currentDir: '/', stdin: 'null', stderr: 'null', signal },
      },
    );
    child.wait().catch(() => {});
    const names = new Set(files);
    try {
      for await (const line of linesOf(child.stdout)) {
        const hit = this.#parse(line, names);
        if (hit) this.#tell([hit]);
        if (this.#isCut) break;
      }
      if (this.#isCut) return true;
      return !NOT_STARTED.includes(await child.wait());
    } finally {
      enough.abort();
      this.#signal.throwIfAborted();
    }
  }

  /** Reads a line of grep: path, number and text, between colons. Paths may contain colons too. */
  #parse(line: string, names: ReadonlySet<string>): Hit | undefined {
    for (const { index, 0: mark, 1: number } of line.matchAll(/:(\d+):/g)) {
      const path = line.slice(0, index);
      if (names.has(path)) return this.#hitIn(path, Number(number), line.slice(index + mark.length));
    }
    return undefined;
  }

  /** Searches without a program in the container. */
  async #read(files: readonly string[]): Promise<void> {
    for (const path of files) {
      this.#signal.throwIfAborted();
      if (this.#isCut) return;
      const bytes = await this.#container.fs.readFile(path).catch(() => undefined);
      if (!bytes) this.#skipped++;
      const lines = (bytes && decodeText(bytes))?.split('\n') ?? [];
      const hits = lines.flatMap((line, index) => this.#hitIn(path, index + 1, line) ?? []);
      this.#tell(hits.slice(0, MOST_LINES));
    }
  }

  #hitIn(path: string, line: number, text: string): Hit | undefined {
    const column = this.#columnIn(text);
    // Lines of programs and pictures say nothing.
    if (column < 0 || text.includes('\0')) return undefined;
    const start = Math.max(0, column - LONGEST_EXCERPT / 4);
    return { path, line, column, excerpt: text.slice(start, start + LONGEST_EXCERPT).trim() };
  }

  #columnIn(text: string): number {
    return (this.#matchesCase ? text : text.toLowerCase()).indexOf(this.#text);
  }

  #tell(hits: Hit[]): void {
    const room = MOST_HITS - this.#hits;
    this.#isCut ||= hits.length > room;
    this.#hits += hits.length;
    if (hits.length > 0 && room > 0) this.#onHits(hits.slice(0, room));
  }
}

/** Whether the editor may open it. */
function isSearchable({ type, size }: FolderEntry): boolean {
  return type === 'file' && size > 0 && size <= LARGEST_TEXT;
}

/** The longest line that is looked at, in characters. */
const LONGEST_LINE = 1 << 20;

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of chunks(stream)) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop()?.slice(0, LONGEST_LINE) ?? '';
    yield* lines;
  }
  if (rest) yield rest;
}

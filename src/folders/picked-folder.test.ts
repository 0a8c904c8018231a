/** Tests what picked folders do while the browser is late: fake handles stand for those of a browser. */
import { beforeEach, expect, test } from 'vitest';
import { PickedFolder } from './picked-folder.ts';
import type { OpenFile, Way } from './shared-folder.ts';

const ROOT = { user: 0, group: 0 };
const READ = { read: true, write: false, truncate: false };
const later = () => new Promise((resolve) => setTimeout(resolve, 20));

function missing(): never {
  throw new DOMException('it is not there', 'NotFoundError');
}

/** A copy of a file, which takes its place late. */
class FakeCopy extends WritableStream<Uint8Array> {
  #bytes: Uint8Array;
  readonly #done: (bytes: Uint8Array) => void;

  constructor(bytes: Uint8Array, done: (bytes: Uint8Array) => void) {
    let end = 0;
    super({
      write: (data) => {
        this.#put(end, data);
        end += data.length;
      },
      close: () => this.#finish(),
    });
    this.#bytes = bytes;
    this.#done = done;
  }

  async write({ position, data }: { position: number; data: Uint8Array }): Promise<void> {
    this.#put(position, data);
  }

  async truncate(size: number): Promise<void> {
    this.#bytes = this.#bytes.slice(0, size);
  }

  override close(): Promise<void> {
    return this.#finish();
  }

  #put(position: number, data: Uint8Array): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length, position + data.length));
    bytes.set(this.#bytes);
    bytes.set(data, position);
    this.#bytes = bytes;
  }

  async #finish(): Promise<void> {
    await later();
    this.#done(this.#bytes);
  }
}

class FakeFile {
  readonly kind = 'file';
  isGone = false;
  #bytes = new Uint8Array();

  async getFile(): Promise<File> {
    return this.isGone ? missing() : new File([this.#bytes as Uint8Array<ArrayBuffer>], 'name');
  }

  async createWritable({ keepExistingData = false } = {}): Promise<FakeCopy> {
    return new FakeCopy(keepExistingData ? this.#bytes : new Uint8Array(), (bytes) => {
      if (this.isGone) missing();
      this.#bytes = bytes as Uint8Array<ArrayBuffer>;
    });
  }
}

class FakeFolder {
  readonly kind = 'directory';
  readonly #children = new Map<string, FakeFile | FakeFolder>();

  async getFileHandle(name: string, options?: { create?: boolean }): Promise<FakeFile> {
    return this.#child(name, 'file', options?.create ? new FakeFile() : undefined);
  }

  async getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<FakeFolder> {
    return this.#child(name, 'directory', options?.create ? new FakeFolder() : undefined);
  }

  async removeEntry(name: string): Promise<void> {
    const child = this.#children.get(name) ?? missing();
    if (child.kind === 'file') child.isGone = true;
    else for (const name of child.#children.keys()) await child.removeEntry(name);
    this.#children.delete(name);
  }

  async *entries(): AsyncGenerator<[string, FakeFile | FakeFolder]> {
    yield* this.#children;
  }

  async *keys(): AsyncGenerator<string> {
    yield* this.#children.keys();
  }

  #child<T extends FakeFile | FakeFolder>(name: string, kind: T['kind'], created: T | undefined): T {
    const child = this.#children.get(name) ?? created ?? missing();
    if (child.kind !== kind) throw new DOMException('it is another kind', 'TypeMismatchError');
    this.#children.set(name, child);
    return child as T;
  }
}

let folder: PickedFolder;

beforeEach(() => {
  folder = new PickedFolder(new FakeFolder() as unknown as FileSystemDirectoryHandle);
});

async function written(way: Way): Promise<OpenFile> {
  const file = await folder.create(way, 0o644, ROOT);
  await file.write(0, [Buffer.from('text')]);
  return file;
}

async function content(way: Way): Promise<string> {
  const file = await folder.open(way, READ);
  const bytes = Buffer.alloc(9);
  const length = await file.read(0, [bytes]);
  await file.close();
  return bytes.subarray(0, length).toString();
}

test('has the content of a file while the file is still being closed', async () => {
  const closing = (await written(['f'])).close();
  expect((await folder.status(['f'])).size).toBe(4);
  expect(await content(['f'])).toBe('text');
  await closing;
  expect(await content(['f'])).toBe('text');
});

test('moves a file that is still being closed, with its content', async () => {
  const closing = (await written(['f'])).close();
  await folder.rename(['f'], ['g'], 'replace');
  expect(await content(['g'])).toBe('text');
  await closing;
});

test('moves a folder with files that are open, and with one that is still being closed', async () => {
  await folder.make(['d'], 0o40755, ROOT);
  const closing = (await written(['d', 'f'])).close();
  const open = await written(['d', 'open']);
  await folder.rename(['d'], ['e'], 'replace');
  expect(await content(['e', 'f'])).toBe('text');
  await open.write(4, [Buffer.from('more')]);
  await open.close();
  expect(await content(['e', 'open'])).toBe('textmore');
  await closing;
});

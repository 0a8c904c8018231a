/** Finds the user of an image by its numbers, before anything runs. */
import { toByteString } from '../disk/byte-string.ts';
import type { TarEntry } from '../disk/tar-entry.ts';
import { decodeIndex } from '../disk/tar-index.ts';
import type { Owner } from '../oci/tar-stream.ts';
import type { StoredLayer } from '../storage/layer-store.ts';
import type { Store } from '../storage/store.ts';

/** As the guest reads it (`kernel/init/user.c`). */
const LARGEST_FILE = (1 << 20) - 1;
const LARGEST_ID = 0x7fff_ffff;
/** Where lines of both files have the number; lines of `passwd` have that of the group after it. */
const NUMBER = 2;
const GROUP = 3;
const OPAQUE = ['etc/.wh..wh..opq', '.wh.etc', '.wh..wh..opq'];

/**
 * Returns the numbers of an image's user, who owns new files. Root owns them if the user does not exist.
 * @param user `user` or `user:group`, names or numbers; empty for root
 * @param layers of the image by their digests, the lowest first
 * @throws StorageError
 */
export async function ownerOf(user: string, layers: readonly string[], store: Store): Promise<Owner> {
  const [name = '', group = ''] = user.split(':');
  if (name === '') return { user: 0, group: 0 };
  const entry = find(await linesOf('etc/passwd', layers, store), name);
  const id = parseId(entry?.[NUMBER] ?? name);
  if (id === undefined) return { user: 0, group: 0 };
  const own = parseId(entry?.[GROUP] ?? '') ?? 0;
  if (group === '') return { user: id, group: own };
  const named = find(await linesOf('etc/group', layers, store), group);
  return { user: id, group: parseId(named?.[NUMBER] ?? group) ?? own };
}

function find(lines: readonly string[][], wanted: string): string[] | undefined {
  return lines.find((fields) => fields[0] === wanted || fields[NUMBER] === wanted);
}

function parseId(digits: string): number | undefined {
  const id = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  return id <= LARGEST_ID ? id : undefined;
}

/** The fields of each line of a file; none if the image lacks it or has a link in its place. */
async function linesOf(path: string, layers: readonly string[], store: Store): Promise<string[][]> {
  const gone = [path.replace('/', '/.wh.'), ...OPAQUE];
  for (const digest of [...layers].reverse()) {
    const layer = await store.layers.open(digest);
    if (!layer) return [];
    try {
      const { entries } = decodeIndex(layer.index);
      const file = entries.findLast((entry) => entry.path === path);
      if (file) return isText(file) ? split(await read(layer, file)) : [];
      if (entries.some((entry) => gone.includes(entry.path))) return [];
    } finally {
      await layer.close();
    }
  }
  return [];
}

type Text = Extract<TarEntry, { type: 'file' }>;

function isText(entry: TarEntry): entry is Text {
  return entry.type === 'file' && entry.extents === undefined && entry.size <= LARGEST_FILE;
}

async function read(layer: StoredLayer, { offset, size }: Text): Promise<string> {
  const bytes = new Uint8Array(size);
  await layer.read(offset, bytes);
  return toByteString(bytes);
}

function split(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'));
}

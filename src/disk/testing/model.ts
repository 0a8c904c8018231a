/** A simple model of merging layers, in one flat map of paths, which gives the expected tree. */
import { posix } from 'node:path';
import { type ByteString, toBytes } from '../byte-string.ts';
import { type Facts, type Listing, makeListing, showContents, showXattrs, TYPE_BITS } from './facts.ts';
import type { EntrySpec } from './tar-writer.ts';

interface Item {
  readonly spec: EntrySpec;
  /** The same for all names of a file. */
  readonly inode: object;
  writtenIn: number;
}

/** Thrown if layers cannot be merged. */
export class ModelError extends Error {}

const UNMENTIONED = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  mtimeNs: 0,
  xattrs: [],
} as const;

export class Model {
  readonly #items = new Map<ByteString, Item>([
    ['', { spec: { ...UNMENTIONED, path: '' }, inode: {}, writtenIn: 0 }],
  ]);

  /**
   * @throws ModelError if a hard link has no target, or a path leads through a file of its layer or in a
   * circle
   */
  apply(spec: EntrySpec, layer: number): void {
    apply(this.#items, spec, layer);
  }

  /** Entries that can be targets of hard links. */
  files(): ByteString[] {
    return [...this.#items].filter(([, { spec }]) => spec.type !== 'directory').map(([path]) => path);
  }

  list(): Listing {
    return list(this.#items);
  }
}

export function mergeModel(layers: readonly (readonly EntrySpec[])[]): Listing {
  const model = new Model();
  layers.forEach((specs, layer) => {
    for (const spec of specs) model.apply(spec, layer);
  });
  return model.list();
}

function apply(items: Map<ByteString, Item>, spec: EntrySpec, layer: number): void {
  const [parent, name] = split(spec.path);
  if (name.startsWith('.wh..wh.') && name !== '.wh..wh..opq') return;
  const ofThisLayer = (item: Item) => item.writtenIn === layer;
  const directory = resolve(items, parent, ofThisLayer);
  if (name.startsWith('.wh.')) {
    const place = name === '.wh..wh..opq' ? directory : join(directory, name.slice(4));
    if (items.get(directory)?.spec.type !== 'directory') return;
    removeLower(items, place === '' ? '' : `${place}/`, place === directory ? undefined : place, layer);
    return;
  }
  if (spec.path !== '') ensureDirectories(items, directory, layer);
  const path = join(directory, name);
  const before = items.get(path);
  if (spec.type === 'hardlink') {
    const [above, last] = split(spec.target);
    const target = items.get(
      join(
        resolve(items, above, () => true),
        last,
      ),
    );
    if (!target || target.spec.type === 'directory') throw new ModelError('no target');
    remove(items, path);
    items.set(path, { ...target, writtenIn: layer });
    return;
  }
  if (before?.spec.type !== 'directory' || spec.type !== 'directory') remove(items, path);
  items.set(path, { spec, inode: {}, writtenIn: layer });
}

function split(path: ByteString): [parent: ByteString, name: ByteString] {
  const components = path.split('/');
  const name = components.pop() ?? '';
  return [components.join('/'), name];
}

/**
 * Replaces the first link in the path by its target until there is none.
 * @throws ModelError if that does not end
 */
function resolve(
  items: ReadonlyMap<ByteString, Item>,
  path: ByteString,
  follow: (link: Item) => boolean,
): ByteString {
  let current = path;
  for (let links = 0; links <= 40; links++) {
    const components = current === '' ? [] : current.split('/');
    const at = components.findIndex((_, i) => {
      const item = items.get(components.slice(0, i + 1).join('/'));
      return item?.spec.type === 'symlink' && follow(item);
    });
    const spec = items.get(components.slice(0, at + 1).join('/'))?.spec;
    if (at < 0 || spec?.type !== 'symlink') return current;
    const folder = spec.target.startsWith('/') ? [] : components.slice(0, at);
    current = posix.resolve('/', ...folder, `./${spec.target}`, ...components.slice(at + 1)).slice(1);
  }
  throw new ModelError('too many links');
}

function ensureDirectories(items: Map<ByteString, Item>, path: ByteString, layer: number): void {
  if (path === '') return;
  const components = path.split('/');
  for (let depth = 1; depth <= components.length; depth++) {
    const ancestor = components.slice(0, depth).join('/');
    const item = items.get(ancestor);
    if (item?.spec.type === 'directory') item.writtenIn = layer;
    else {
      if (item?.writtenIn === layer) throw new ModelError('a file of the same layer');
      remove(items, ancestor);
      items.set(ancestor, { spec: { ...UNMENTIONED, path: ancestor }, inode: {}, writtenIn: layer });
    }
  }
}

function remove(items: Map<ByteString, Item>, path: ByteString): void {
  for (const other of [...items.keys()])
    if (other === path || (path !== '' && other.startsWith(`${path}/`))) items.delete(other);
}

function removeLower(
  items: Map<ByteString, Item>,
  prefix: ByteString,
  path: ByteString | undefined,
  layer: number,
): void {
  for (const [other, { writtenIn }] of [...items])
    if (other !== '' && (other === path || other.startsWith(prefix)) && writtenIn < layer)
      remove(items, other);
}

const join = (parent: ByteString, name: ByteString) => (parent === '' ? name : `${parent}/${name}`);

function list(items: ReadonlyMap<ByteString, Item>): Listing {
  const links = new Map<object, number>();
  const add = (inode: object | undefined, count: number) =>
    inode && links.set(inode, (links.get(inode) ?? 0) + count);
  for (const [path, { spec, inode }] of items) {
    add(inode, spec.type === 'directory' ? 2 : 1);
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    if (spec.type === 'directory' && path !== '') add(items.get(parent)?.inode, 1);
  }
  return makeListing(
    [...items].map(([path, { spec, inode }]) => [path, factsOf(spec, links.get(inode) ?? 0), inode]),
  );
}

/** Whether Linux supports this attribute on this type of entry. overlayfs reserves some for itself. */
function isKept(name: ByteString, type: EntrySpec['type']): boolean {
  if (name.startsWith('user.')) return type === 'file' || type === 'directory';
  if (name === 'system.posix_acl_access') return type !== 'symlink';
  if (name === 'system.posix_acl_default') return type === 'directory';
  return /^(security|trusted(?!\.overlay))\./.test(name);
}

function factsOf(spec: EntrySpec, links: number): Omit<Facts, 'first'> {
  if (spec.type === 'hardlink') throw new Error('links are resolved');
  const contents = 'target' in spec ? toBytes(spec.target) : (spec.contents ?? new Uint8Array(0));
  const { mode, uid, gid, mtime, mtimeNs } = spec;
  return {
    mode: TYPE_BITS[spec.type] | mode,
    uid,
    gid,
    links,
    size: contents.length,
    mtime,
    mtimeNs,
    major: 'major' in spec ? spec.major : 0,
    minor: 'minor' in spec ? spec.minor : 0,
    contents: showContents(TYPE_BITS[spec.type], contents),
    xattrs: showXattrs(
      spec.xattrs.filter(({ name }) => isKept(name, spec.type)).map(({ name, value }) => [name, value]),
    ),
  };
}

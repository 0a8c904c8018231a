/** Random layers with few names, so that layers collide, all types, and awkward values of every field. */
import fc from 'fast-check';
import type { ByteString } from '../byte-string.ts';
import { Model, ModelError } from './model.ts';
import type { EntrySpec } from './tar-writer.ts';

const NAMES = ['a', 'b', 'c', 'a.b', '!', '\xff\xfe\x80', '.hidden', 'x'.repeat(255)];

const name = fc.constantFrom(...NAMES);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const byteString = (maxLength: number) =>
  fc
    .uint8Array({ minLength: 1, maxLength })
    .map((values) => String.fromCharCode(...values.map((byte) => byte || 1)));

const xattr = fc.record({
  name: fc
    .tuple(
      fc.constantFrom('user.', 'trusted.', 'security.', 'com.example.', 'trusted.overlay.'),
      fc.constantFrom('a', 'bcd', 'y'.repeat(200)),
    )
    .map((parts) => parts.join('')),
  value: fc.oneof(bytes(20), fc.uint8Array({ minLength: 400, maxLength: 1200 })),
});

const attributes = {
  path,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.constantFrom(0, 1000, 0o7777777, 0o10000000, 0xfffffffe), fc.nat(70_000)),
  gid: fc.constantFrom(0, 100, 65534, 4_000_000_000),
  mtime: fc.oneof(fc.constantFrom(0, -1, 2 ** 31, 2 ** 33, -(2 ** 40)), fc.nat()),
  mtimeNs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
  xattrs: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.uniqueArray(xattr, { maxLength: 4, selector: (x) => x.name }) },
  ),
};

const directory = fc.record({
  ...attributes,
  path: fc.oneof({ weight: 20, arbitrary: path }, { weight: 1, arbitrary: fc.constant('') }),
  type: fc.constant('directory' as const),
});
const file = fc.record({
  ...attributes,
  type: fc.constant('file' as const),
  contents: fc.oneof(bytes(30), fc.uint8Array({ minLength: 500, maxLength: 1100 })),
});
const symlink = fc.record({
  ...attributes,
  type: fc.constant('symlink' as const),
  target: fc.oneof(path, fc.constantFrom('/', '..', 'a'), byteString(4095)),
});
const special = fc.oneof(
  fc.record({ ...attributes, type: fc.constant('fifo' as const) }),
  fc.record({
    ...attributes,
    type: fc.constantFrom('character' as const, 'block' as const),
    major: fc.constantFrom(0, 1, 0xfff),
    minor: fc.constantFrom(0, 3, 255, 256, 0xfffff),
  }),
);
/** Its target is chosen when the possible targets are known. Sometimes it has none. */
const hardlink = fc.record({
  ...attributes,
  type: fc.constant('hardlink' as const),
  target: path,
  choice: fc.nat(1000),
});
const marker = (names: fc.Arbitrary<ByteString>) =>
  fc
    .tuple(fc.oneof(fc.constant(''), path), names)
    .map(([parent, base]) => ({ ...PLAIN, path: parent === '' ? base : `${parent}/${base}` }));

const PLAIN = { type: 'file' as const, mode: 0, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: [] };

const entrySpec = fc.oneof(
  { weight: 6, arbitrary: directory },
  { weight: 6, arbitrary: file },
  { weight: 3, arbitrary: symlink },
  { weight: 1, arbitrary: special },
  { weight: 2, arbitrary: hardlink },
  { weight: 2, arbitrary: marker(name.map((n) => `.wh.${n}`)) },
  { weight: 1, arbitrary: marker(fc.constantFrom('.wh..wh..opq', '.wh..wh.plnk')) },
);

type Unlinked = typeof entrySpec extends fc.Arbitrary<infer T> ? T : never;

/** The layers of an image, the lowest first. */
export const layerSpecs: fc.Arbitrary<EntrySpec[][]> = fc
  .array(fc.array(entrySpec, { maxLength: 14 }), { minLength: 1, maxLength: 4 })
  .map(chooseTargets);

function chooseTargets(layers: readonly (readonly Unlinked[])[]): EntrySpec[][] {
  const model = new Model();
  return layers.map((specs, layer) =>
    specs.map((spec) => {
      const chosen = spec.type === 'hardlink' ? choose(spec, model.files()) : spec;
      try {
        model.apply(chosen, layer);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
      }
      return chosen;
    }),
  );
}

function choose(
  { choice, ...spec }: Extract<Unlinked, { type: 'hardlink' }>,
  files: readonly ByteString[],
): EntrySpec {
  const target = files[choice % files.length] ?? spec.target;
  return choice === 0 ? spec : { ...spec, target };
}

/**
 * Layers of many images, each below a directory of its own, without entries that cannot be merged. A link may
 * lead from one image into another.
 */
export function sideBySide(images: readonly (readonly (readonly EntrySpec[])[])[]): EntrySpec[][] {
  const below = (folder: string, path: ByteString) => (path === '' ? folder : `${folder}/${path}`);
  const model = new Model();
  const isMerged = (entry: EntrySpec, layer: number) => {
    try {
      model.apply(entry, layer);
      return true;
    } catch (error) {
      if (error instanceof ModelError) return false;
      throw error;
    }
  };
  const count = Math.max(...images.map(({ length }) => length));
  return Array.from({ length: count }, (_, layer) =>
    images
      .flatMap((layers, i) =>
        (layers[layer] ?? []).map((entry): EntrySpec => {
          const path = below(`${i}`, entry.path);
          return entry.type === 'hardlink'
            ? { ...entry, path, target: below(`${i}`, entry.target) }
            : { ...entry, path };
        }),
      )
      .filter((entry) => isMerged(entry, layer)),
  );
}

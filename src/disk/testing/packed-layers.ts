/**
 * Random layers on which tools agree, with paths as packers write them: through links of their layer, with
 * dots, and with folders that become links or files and the reverse.
 *
 * Tools disagree about links of lower layers on the way of a path. So the links of each layer have a name of
 * their own, which is no parent in other layers.
 */
import fc from 'fast-check';
import { type ByteString, toBytes } from '../byte-string.ts';
import type { EntrySpec } from './tar-writer.ts';

const ATTRIBUTES = { mode: 0o755, uid: 0, gid: 0, mtime: 1, mtimeNs: 0, xattrs: [] };
const MAX_LAYERS = 4;
const LINKS = Array.from({ length: MAX_LAYERS }, (_, layer) => `l${layer}`);

const joined = (...parts: readonly ByteString[]) => parts.filter((part) => part !== '').join('/');

/** The same path in another form. */
const written = (path: fc.Arbitrary<ByteString>) =>
  fc
    .tuple(
      path,
      fc.constantFrom('', './', '/', 'a/../', 'no/such/../../', './/'),
      fc.constantFrom('/', '/./', '//', '/b/../'),
    )
    .map(([plain, prefix, slash]) => prefix + plain.replaceAll('/', slash));

function entriesOf(layer: number): fc.Arbitrary<EntrySpec> {
  const link = LINKS[layer] as ByteString;
  const parent = fc
    .array(fc.constantFrom('a', 'b', 'c', link, link), { maxLength: 2 })
    .map((names) => joined(...names));
  const at = (...names: readonly ByteString[]) =>
    fc.tuple(parent, fc.constantFrom(...names)).map(([folder, name]) => joined(folder, name));
  const anything = at('a', 'b', 'c', 'f', 'g', 'f', 'g', ...LINKS);
  const target = fc
    .tuple(
      fc.constantFrom('', '', '/', '../', '../../', './'),
      parent,
      fc.constantFrom('a', 'b', 'c', 'f', link),
    )
    .map(([start, folder, name]) => start + joined(folder, name));
  const contents = fc.nat(0xffff).map((number) => toBytes(`${number}`));
  const make = <T extends object>(path: fc.Arbitrary<ByteString>, more: T) =>
    fc
      .record({ path: written(path), ...more })
      .map((spec) => ({ ...ATTRIBUTES, ...spec }) as unknown as EntrySpec);
  const type = (name: EntrySpec['type']) => ({ type: fc.constant(name) });
  const whiteouts = anything.map((path) => path.replace(/[^/]+$/, '.wh.$&'));
  return fc.oneof(
    { weight: 4, arbitrary: make(anything, type('directory')) },
    { weight: 4, arbitrary: make(at('a', 'f', 'g', 'f', 'g', ...LINKS), { ...type('file'), contents }) },
    { weight: 4, arbitrary: make(at(link), { ...type('symlink'), target }) },
    { weight: 2, arbitrary: make(at('f', 'g', 'a'), { ...type('hardlink'), target: written(at('f', 'g')) }) },
    { weight: 1, arbitrary: make(at(link), { ...type('hardlink'), target: written(at(...LINKS)) }) },
    { weight: 3, arbitrary: make(whiteouts, type('file')) },
    { weight: 1, arbitrary: make(at('.wh..wh..opq'), type('file')) },
  );
}

/** The layers of an image, the lowest first. */
export const packedLayers: fc.Arbitrary<EntrySpec[][]> = fc
  .integer({ min: 1, max: MAX_LAYERS })
  .chain((count) =>
    fc.tuple(...Array.from({ length: count }, (_, layer) => fc.array(entriesOf(layer), { maxLength: 12 }))),
  );

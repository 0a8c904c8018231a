/** Compares random layers with the files that umoci unpacks. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImageError } from '../oci/errors.ts';
import { toByteString } from './byte-string.ts';
import { indexTar } from './testing/images.ts';
import { HAS_UMOCI, withUmoci } from './testing/linux.ts';
import { packedLayers } from './testing/packed-layers.ts';
import { concat, type EntrySpec, end, entry } from './testing/tar-writer.ts';
import { type Directory, isDirectory, mergeLayers } from './tree.ts';

const RUNS = 60;

/** Type and contents by path. Names of one file have the same number. */
type Tree = Record<string, string>;

function listMerged(tars: readonly Uint8Array[]): Tree {
  const tree: Tree = {};
  const numbers = new Map<object, number>();
  const visit = ({ children }: Directory, folder: string) => {
    for (const [name, { inode }] of [...children].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = `${folder}/${name}`;
      if (isDirectory(inode)) {
        tree[path] = 'directory';
        visit(inode, path);
        continue;
      }
      const { entry, layer } = inode;
      const number = numbers.get(inode) ?? numbers.size;
      numbers.set(inode, number);
      if (entry.type === 'symlink') tree[path] = `${number} -> ${entry.target}`;
      else if (entry.type === 'file')
        tree[path] =
          `${number} ${toByteString((tars[layer] as Uint8Array).subarray(entry.offset, entry.offset + entry.size))}`;
    }
  };
  visit(mergeLayers(tars.map(indexTar)), '');
  return tree;
}

function listFolder(root: string): Tree {
  const tree: Tree = {};
  const numbers = new Map<number, number>();
  const visit = (folder: string) => {
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = `${folder}/${name}`;
      const status = lstatSync(join(root, path));
      if (status.isDirectory()) {
        tree[path] = 'directory';
        visit(path);
        continue;
      }
      const number = numbers.get(status.ino) ?? numbers.size;
      numbers.set(status.ino, number);
      tree[path] = status.isSymbolicLink()
        ? `${number} -> ${readlinkSync(join(root, path))}`
        : `${number} ${readFileSync(join(root, path), 'latin1')}`;
    }
  };
  visit('');
  return tree;
}

/** Returns undefined if umoci refuses the layers. */
function listUnpacked(tars: readonly Uint8Array[]): Promise<Tree | undefined> {
  return withUmoci(tars, listFolder).catch((error: Error) => {
    if (!error.message.startsWith('umoci failed')) throw error;
    return undefined;
  });
}

const tarOf = (specs: readonly EntrySpec[]) => concat(...specs.map(entry), end());

function isRefused(layers: readonly (readonly EntrySpec[])[]): boolean {
  try {
    mergeLayers(layers.map((specs) => indexTar(tarOf(specs))));
    return false;
  } catch (error) {
    if (error instanceof ImageError) return true;
    throw error;
  }
}

/**
 * Splits the entries off that we refuse: layers that are accepted, and those up to the first refused entry.
 */
function split(layers: readonly (readonly EntrySpec[])[]): {
  accepted: EntrySpec[][];
  refused?: EntrySpec[][];
} {
  const accepted: EntrySpec[][] = [];
  let refused: EntrySpec[][] | undefined;
  for (const specs of layers) {
    const layer: EntrySpec[] = [];
    accepted.push(layer);
    for (const spec of specs) {
      layer.push(spec);
      if (!isRefused(accepted)) continue;
      refused ??= accepted.map((entries) => [...entries]);
      layer.pop();
    }
  }
  return refused ? { accepted, refused } : { accepted };
}

test.skipIf(!HAS_UMOCI)(
  'random layers become the files that umoci unpacks',
  { timeout: 300_000 },
  async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(packedLayers, async (layers) => {
        const { accepted, refused } = split(layers);
        if (refused) expect(await listUnpacked(refused.map(tarOf))).toBeUndefined();
        const tars = accepted.map(tarOf);
        const unpacked = await listUnpacked(tars);
        if (unpacked === undefined) return;
        compared++;
        expect(listMerged(tars)).toEqual(unpacked);
      }),
      { numRuns: RUNS },
    );
    console.log('compared', compared);
    expect(compared).toBeGreaterThan(RUNS / 4);
  },
);

/** Makes the disk that holds the file of a tar, for the set-up. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { writeErofs } from '../disk/erofs.ts';
import { TarIndexer } from '../disk/tar.ts';
import { mergeLayers } from '../disk/tree.ts';

const UUID_SIZE = 16;

const [source = '', target = ''] = process.argv.slice(2);
const tar = readFileSync(source);
const indexer = new TarIndexer();
indexer.push(tar);
// Saved sessions find by the UUID that the content is the same.
const uuid = createHash('sha256').update(tar).digest().subarray(0, UUID_SIZE);
const { metadata, layerOffsets, diskSize } = writeErofs(mergeLayers([indexer.finish()]), [tar.length], uuid);
const disk = new Uint8Array(diskSize);
disk.set(metadata);
disk.set(tar, layerOffsets[0]);
writeFileSync(target, disk);

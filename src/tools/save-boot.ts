/** Boots the machine that most containers have, and saves it in a file, for the set-up. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { PUBLIC } from '../cli/program.ts';
import { saveBooted } from '../container/booted.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { ENCODING } from '../snapshot/sections.ts';

const ZSTD = ['-19', '--long=27', '--no-check', '--single-thread', '--quiet', '--stdout'];

const [path = ''] = process.argv.slice(2);
const platform = nodePlatform(PUBLIC);
const hashOf = async (file: string) =>
  createHash('sha256')
    .update(await platform.loadFile(file))
    .digest('hex');
const guest = { kernel: await hashOf('kernel/Image'), initramfs: await hashOf('kernel/initramfs.cpio') };
const compressor = {
  encoding: ENCODING.zstd,
  compress: (input: Uint8Array) => {
    const compressed = execFileSync('zstd', ZSTD, { input, maxBuffer: input.length + 1024 });
    return compressed.length < input.length ? compressed : undefined;
  },
};
const file = await open(path, 'w');
for await (const bytes of saveBooted(platform, guest, compressor)) await file.write(bytes);
await file.close();

/** Reads a disk with a real Linux in QEMU, and a folder with the host's Linux; see walk.c. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCpio } from '../../../scripts/setup/cpio.mjs';
import { type Listing, listWalk, withoutDirectoryLinks } from './facts.ts';
import { writeLayout } from './layout-writer.ts';

const KERNEL = join(import.meta.dirname, '../../../public/kernel/Image');
const WALKER = join(import.meta.dirname, 'walk.c');
const COMPILER = 'riscv64-linux-gnu-gcc';

function exists(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

export const HAS_LINUX =
  existsSync(KERNEL) && [COMPILER, 'qemu-system-riscv64', 'qemu-riscv64'].every(exists);
/** Whether `umoci unpack` can set owners and make devices. */
export const HAS_UMOCI = process.getuid?.() === 0 && exists('umoci');
export const HAS_SKOPEO = exists('skopeo');

/** Runs `work` with a new folder that is removed afterwards. */
async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'linuxrun-disk-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns its standard output */
function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(Buffer.concat(output).toString());
      else reject(new Error(`${program} failed (${status}): ${Buffer.concat(errors).subarray(-2000)}`));
    });
  });
}

async function compileWalker(folder: string): Promise<string> {
  const walker = join(folder, 'walk');
  await run(COMPILER, ['-O2', '-static', '-Wall', '-Wextra', '-Werror', '-o', walker, WALKER]);
  return walker;
}

/** Mounts the disk in Linux. */
export function mountInLinux(disk: Uint8Array): Promise<Listing> {
  return withFolder(async (folder) => {
    const walker = await compileWalker(folder);
    const initramfs = join(folder, 'initramfs');
    const image = join(folder, 'disk');
    await writeFile(
      initramfs,
      writeCpio([
        { path: 'dev', type: 'directory' },
        { path: 'dev/console', type: 'character device', mode: 0o600, device: [5, 1] },
        { path: 'init', type: 'file', data: await readFile(walker) },
      ]),
    );
    await writeFile(image, disk);
    // A file, because QEMU's consoles drop output that a pipe does not accept at once.
    const console = join(folder, 'console');
    await run('qemu-system-riscv64', [
      ...[
        '-M',
        'virt',
        '-m',
        '512M',
        '-display',
        'none',
        '-serial',
        'none',
        '-monitor',
        'none',
        '-no-reboot',
      ],
      ...['-kernel', KERNEL, '-initrd', initramfs, '-append', 'console=hvc0 quiet panic=-1'],
      ...['-global', 'virtio-mmio.force-legacy=false'],
      ...['-drive', `file=${image},if=none,format=raw,readonly=on,id=disk`],
      ...['-device', 'virtio-blk-device,drive=disk', '-device', 'virtio-serial-device'],
      ...['-chardev', `file,id=console,path=${console}`, '-device', 'virtconsole,chardev=console'],
    ]);
    const lines = (await readFile(console, 'latin1')).split(/\r*\n/);
    const begin = lines.indexOf('BEGIN');
    const end = lines.indexOf('END');
    if (begin < 0 || end < 0) {
      const messages = lines.filter((line) => !/^[0-9a-f]* /.test(line));
      throw new Error(`Linux failed: ${messages.slice(-20).join('\n')}`);
    }
    return listWalk(lines.slice(begin + 1, end));
  });
}

/** Facts of the layers as unpacked by `umoci`, the lowest layer first, without the links of directories. */
export function unpackWithUmoci(layers: readonly Uint8Array[]): Promise<Listing> {
  return withUmoci(layers, async (rootfs, folder) => {
    const output = await run('qemu-riscv64', [await compileWalker(folder), rootfs]);
    return withoutDirectoryLinks(listWalk(output.split('\n').slice(0, -1)));
  });
}

/**
 * Runs `work` with the root file system that `umoci` unpacks, and a folder for temporary files.
 * @throws an error that begins with "umoci failed" if it refuses the layers
 */
export function withUmoci<T>(
  layers: readonly Uint8Array[],
  work: (rootfs: string, folder: string) => T | Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const bundle = join(folder, 'bundle');
    await writeLayout(join(folder, 'layout'), 'image', layers);
    await run('umoci', ['unpack', '--image', `${join(folder, 'layout')}:image`, bundle]);
    return work(join(bundle, 'rootfs'), folder);
  });
}

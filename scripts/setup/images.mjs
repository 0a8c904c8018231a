/** Makes the demo images, in an OCI image layout: our hello-world, and busybox with Debian's program. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SetupFailure } from './failure.mjs';
import { compileForGuest } from './initramfs.mjs';
import { kernel } from './kernel.mjs';
import { inProject } from './places.mjs';
import { keyOf } from './step.mjs';
import { writeTar } from './tar.mjs';

/**
 * @typedef {import('./tar.mjs').TarEntry} TarEntry
 * @typedef {{ mediaType: string, digest: string, size: number }} Descriptor
 */

const DEMO = 'kernel/demo';
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n';
const GROUP = 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n';

/**
 * Returns the applet names of BusyBox. They come from the table in the program, which cannot run on the host.
 * @param {Buffer} program
 */
export function appletsOf(program) {
  /** @type {string[]} */
  const names = [];
  let at = program.indexOf('[\0[[\0');
  while (at >= 0) {
    const end = program.indexOf(0, at);
    const name = program.toString('latin1', at, end);
    if (!/^[\w.[-]+$/.test(name)) break;
    names.push(name);
    at = end + 1;
  }
  if (!['sh', 'ls', 'vi'].every((name) => names.includes(name))) {
    throw new SetupFailure('the list of applets was not found in BusyBox');
  }
  return names;
}

/** @param {Uint8Array} program @returns {TarEntry[]} */
const helloFiles = (program) => [{ path: 'hello', type: 'file', data: program }];

/** @param {Buffer} program @returns {TarEntry[]} */
export function busyboxFiles(program) {
  const links = appletsOf(program).filter((name) => name !== 'busybox');
  /** @type {(path: string, mode?: number) => TarEntry} */
  const directory = (path, mode = 0o755) => ({ path: `${path}/`, type: 'directory', mode });
  return [
    directory('bin'),
    { path: 'bin/busybox', type: 'file', data: program },
    ...links.map(
      (name) => /** @type {TarEntry} */ ({ path: `bin/${name}`, type: 'symlink', target: 'busybox' }),
    ),
    directory('etc'),
    { path: 'etc/passwd', type: 'file', mode: 0o644, data: Buffer.from(PASSWD) },
    { path: 'etc/group', type: 'file', mode: 0o644, data: Buffer.from(GROUP) },
    directory('home'),
    directory('root', 0o700),
    directory('tmp', 0o1777),
    { path: 'sbin', type: 'symlink', target: 'bin' },
    directory('usr'),
    { path: 'usr/bin', type: 'symlink', target: '../bin' },
    { path: 'usr/sbin', type: 'symlink', target: '../bin' },
    directory('var'),
    directory('var/tmp', 0o1777),
  ];
}

/** @param {Uint8Array} bytes */
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Writes an OCI image layout (image-layout.md of the specification) to a folder. */
export class LayoutWriter {
  #folder;
  /** @type {(Descriptor & { annotations: Record<string, string> })[]} */
  #manifests = [];

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /** @param {string} mediaType @param {Uint8Array} bytes @returns {Promise<Descriptor>} */
  async #blob(mediaType, bytes) {
    const digest = digestOf(bytes);
    const folder = join(this.#folder, 'blobs/sha256');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, digest.slice('sha256:'.length)), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest, size: bytes.length };
  }

  /** @param {string} mediaType @param {unknown} value */
  #json(mediaType, value) {
    return this.#blob(mediaType, Buffer.from(JSON.stringify(value)));
  }

  /**
   * Adds an image with one layer.
   * @param {string} tag
   * @param {readonly TarEntry[]} files
   * @param {Record<string, unknown>} config how to run the image (config.md of the specification)
   * @param {string} [architecture]
   * @returns {Promise<string>} the layer's diffID
   */
  async add(tag, files, config, architecture = 'riscv64') {
    const tar = writeTar(files);
    const diffId = digestOf(tar);
    const layer = await this.#blob('layer.v1.tar+gzip', gzipSync(tar, { level: 9 }));
    const configuration = await this.#json('config.v1+json', {
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [diffId] },
    });
    const manifest = await this.#json('manifest.v1+json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: configuration,
      layers: [layer],
    });
    this.#manifests.push({ ...manifest, annotations: { 'org.opencontainers.image.ref.name': tag } });
    return diffId;
  }

  async finish() {
    await writeFile(join(this.#folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    const index = { schemaVersion: 2, manifests: this.#manifests };
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify(index));
  }
}

/** @type {import('./step.mjs').Step} */
export const images = {
  name: 'images',
  title: 'demo images',
  sources: [DEMO, 'dist/busybox', 'scripts/setup/images.mjs', 'scripts/setup/tar.mjs'],
  // The programs depend on the kernel's headers and are built with the same compiler.
  versions: async () => [await keyOf(kernel)],
  outputs: { images: 'public/images' },
  async run(work) {
    const hello = join(work, 'hello');
    await compileForGuest(inProject(DEMO), ['hello.c'], hello);
    const layout = new LayoutWriter(join(work, 'images'));
    const PATH = 'PATH=/bin';
    await layout.add('hello-world', helloFiles(await readFile(hello)), { Cmd: ['/hello'], WorkingDir: '/' });
    await layout.add('busybox', busyboxFiles(await readFile(inProject('dist/busybox'))), {
      Cmd: ['sh'],
      Env: [PATH],
    });
    await layout.finish();
  },
};

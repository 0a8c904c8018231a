/** Image layouts and archives: in folders, on web servers and in picked files, compressed or not. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pickedSource } from './browser-source.ts';
import type { ImageError } from './errors.ts';
import { HttpFolder } from './http-folder.ts';
import { Layout } from './layout.ts';
import { nodeSource } from './node-source.ts';
import { parseReference } from './reference.ts';
import { ContentSource } from './resolve.ts';
import { browserCodecInNode } from './testing/browser-codec-in-node.ts';
import {
  jsonBytes,
  layoutFiles,
  makeImage,
  makeIndex,
  makeLayer,
  makeTar,
  sha256,
  type TestFile,
  type TestImage,
} from './testing/image.ts';
import { createTarReader, pull, TIMING, VisibleStore } from './testing/pull.ts';

const archives = { codec: browserCodecInNode, createTarReader };
const layer = (name: string, size: number) =>
  makeLayer(makeTar([{ path: name, contents: new Uint8Array(randomBytes(size)) }]));
const app = makeImage([layer('a', 300_000), layer('b', 5), layer('c', 400_000)]);
const tool = makeImage([layer('d', 1000)]);
const foreign = makeImage([], { platform: { os: 'linux', architecture: 's390x' } });

const TAG = 'org.opencontainers.image.ref.name';
const NAME = 'io.containerd.image.name';
const riscv64 = { os: 'linux', architecture: 'riscv64' };
const s390x = { os: 'linux', architecture: 's390x' };

const layout = layoutFiles(
  [app, tool, foreign],
  makeIndex([
    { image: app, annotations: { [TAG]: 'app' } },
    { image: tool, annotations: { [TAG]: '1.0', [NAME]: 'docker.io/library/tool:1.0' } },
    { image: foreign, annotations: { [TAG]: 'multi' }, platform: s390x },
    { image: tool, annotations: { [TAG]: 'multi' }, platform: riscv64 },
  ]),
);

let folder: string;
let store: VisibleStore;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-images-'));
  store = new VisibleStore();
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function writeFiles(files: readonly TestFile[], into = folder): Promise<void> {
  for (const { path, contents = new Uint8Array(0) } of files) {
    await mkdir(dirname(join(into, path)), { recursive: true });
    await writeFile(join(into, path), contents);
  }
}

async function writeArchive(bytes: Uint8Array, name = 'image.tar'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const pullReference = (text: string) =>
  pull(nodeSource(parseReference(text), { createTarReader, timing: TIMING }), store);

const failure = (promise: Promise<unknown>): Promise<ImageError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

async function expectStored(image: TestImage): Promise<void> {
  for (const { tar } of image.layers) expect(Buffer.compare(await store.tar(sha256(tar)), tar)).toBe(0);
}

describe('a layout in a folder', () => {
  it.each([
    [':app', app],
    [':1.0', tool],
    [':tool:1.0', tool],
    [':docker.io/library/tool:1.0', tool],
    [':multi', tool],
    [`@${app.digest}`, app],
    [`:1.0@${tool.digest}`, tool],
  ])('gives the image %s', async (name, image) => {
    await writeFiles(layout);
    const pulled = await pullReference(`oci://${folder}${name}`);
    expect(pulled).toMatchObject({ digest: image.digest, layers: image.diffIds });
    expect(pulled.reference).toBe(`oci://${folder}${name}`);
    await expectStored(image);
  });

  it('gives its only image, with or without a name', async () => {
    await writeFiles(layoutFiles([app], makeIndex([{ image: app }])));
    expect((await pullReference(`oci://${folder}`)).digest).toBe(app.digest);
  });

  it('gives an image that only a nested index lists, by digest', async () => {
    await writeFiles(layoutFiles([app, tool], makeIndex([{ image: app }])));
    expect((await pullReference(`oci://${folder}@${tool.digest}`)).digest).toBe(tool.digest);
  });

  it.each([
    ['', 'reference', /holds several images: add a colon and the name of one$/],
    [':none', 'not-found', /there is no image oci:.*:none, but others$/],
    [`:app@${tool.digest}`, 'not-found', /there is no image/],
    [`@sha256:${'0'.repeat(64)}`, 'not-found', /cannot read .*: there is no such file/],
  ])('explains the error of %j', async (name, kind, message) => {
    await writeFiles(layout);
    const error = await failure(pullReference(`oci://${folder}${name}`));
    expect(error.message).toMatch(message);
    expect(error.kind).toBe(kind);
    expect(await store.snapshot()).toEqual({});
  });

  it('says when there is none', async () => {
    expect((await failure(pullReference(`oci://${folder}/none:x`))).message).toMatch(
      /^no OCI image layout is there: cannot read .*\/none\/index.json: there is no such file$/,
    );
    await writeFiles([{ path: 'index.json', contents: jsonBytes([]) }]);
    expect((await failure(pullReference(`oci://${folder}:x`))).message).toMatch(/index.json is not a JSON/);
    await mkdir(join(folder, 'odd/index.json'), { recursive: true });
    expect((await failure(pullReference(`oci://${folder}/odd:x`))).message).toMatch(/is a folder/);
  });

  it.each([
    ['is missing', undefined, /there is no such file/],
    ['is short', app.layers[0]?.blob.subarray(0, -1), /it has \d+ bytes, not the/],
    ['is long', Buffer.concat([app.layers[0]?.blob ?? new Uint8Array(0), randomBytes(9)]), /larger than/],
    ['is other', app.layers[0]?.blob.map((byte, at) => (at === 4 ? 1 : byte)), /not what its digest/],
  ])('is refused if a layer %s', async (_name, blob, message) => {
    await writeFiles(layout);
    const path = join(folder, 'blobs', sha256(app.layers[0]?.blob ?? new Uint8Array(0)).replace(':', '/'));
    await rm(path);
    if (blob) await writeFile(path, blob);
    expect((await failure(pullReference(`oci://${folder}:app`))).message).toMatch(message);
    expect(await store.snapshot()).toEqual({});
  });
});

describe('a layout on a web server', () => {
  async function serve(breakOff = false): Promise<URL> {
    const files = new Map(layout.map(({ path, contents }) => [`/images/${path}`, contents]));
    const seen = new Set<string>();
    server = createServer((request, response) => {
      const contents = files.get(request.url ?? '');
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (!contents) return response.writeHead(404).end();
      if (start > 0)
        response.writeHead(206, {
          'Content-Range': `bytes ${start}-${contents.length - 1}/${contents.length}`,
        });
      if (breakOff && contents.length > 100_000 && !seen.has(request.url ?? '')) {
        seen.add(request.url ?? '');
        return response.write(contents.subarray(0, 90_000), () => setTimeout(() => response.destroy(), 30));
      }
      return response.end(contents.subarray(start));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/images/`);
  }

  it.each([false, true])('gives an image (connections break: %s)', async (breakOff) => {
    const files = new HttpFolder(await serve(breakOff), fetch, TIMING);
    const source = new ContentSource(new Layout('oci://images:app', files, { name: 'app' }));
    expect((await pull(source, store)).digest).toBe(app.digest);
    await expectStored(app);
  });

  it('says when there is none', async () => {
    const files = new HttpFolder(new URL('../none/', await serve()), fetch, TIMING);
    const source = new ContentSource(new Layout('oci://none:app', files, { name: 'app' }));
    const error = await failure(pull(source, store));
    expect(error).toMatchObject({ kind: 'not-found' });
    expect(error.message).toMatch(/no OCI image layout is there: http:.*index.json does not exist/);
  });
});

/**
 * The form of `docker save` before version 25: a folder for each layer, and links from later to earlier ones.
 */
function dockerFiles(images: readonly { image: TestImage; names: string[] | null }[]): TestFile[] {
  const files: TestFile[] = [];
  const manifest = images.map(({ image, names }) => {
    const id = sha256(image.config).slice(7);
    const paths = image.layers.map(({ tar }, i) => {
      const path = `${sha256(Buffer.from(`${id}${i}`)).slice(7)}/layer.tar`;
      const same = files.find(({ contents }) => contents === tar);
      files.push(same ? { path, target: `../${same.path}` } : { path, contents: tar });
      return path;
    });
    files.push({ path: `${id}.json`, contents: image.config });
    return { Config: `${id}.json`, RepoTags: names, Layers: paths };
  });
  return [...files.reverse(), { path: 'manifest.json', contents: jsonBytes(manifest) }];
}

/** The form of `docker save` since version 25: a layout with the old manifest beside it. */
const newDockerFiles: TestFile[] = [
  ...layout,
  {
    path: 'manifest.json',
    contents: jsonBytes([{ Config: 'nonsense', RepoTags: ['nonsense:1'], Layers: [] }]),
  },
];

const [first] = app.layers;
if (!first) throw new Error('no layer');
const shared = makeImage([first, layer('e', 5000)]);
const oldDockerFiles = dockerFiles([
  { image: app, names: ['app:latest', 'registry.example/app:2'] },
  { image: shared, names: ['shared:1'] },
]);

type Pack = (tar: Uint8Array) => Uint8Array;

const packedBy =
  (program: string): Pack =>
  (tar) =>
    execFileSync(program, ['-c', '-1'], { input: tar, maxBuffer: 1 << 26 });

const packs: [name: string, pack: Pack][] = [
  ['plain', (tar) => tar],
  ['compressed', (tar) => new Uint8Array(gzipSync(tar))],
  ...['xz', 'bzip2']
    .filter((program) => spawnSync(program, ['--help']).status === 0)
    .map((program): [string, Pack] => [program, packedBy(program)]),
];

describe.each(packs)('a %s archive', (packed, pack) => {
  it('of a layout', async () => {
    const path = await writeArchive(pack(makeTar(layout)));
    expect((await pullReference(`file://${path}:app`)).digest).toBe(app.digest);
    await expectStored(app);
    expect((await pullReference(`file://${path}:tool:1.0`)).digest).toBe(tool.digest);
  });

  it('of a layout whose entries begin with ./', async () => {
    const files = layout.map((file) => ({ ...file, path: `./${file.path}` }));
    const path = await writeArchive(pack(makeTar(files)));
    expect((await pullReference(`file://${path}:app`)).digest).toBe(app.digest);
  });

  it('by the new docker save', async () => {
    const path = await writeArchive(pack(makeTar(newDockerFiles)));
    expect((await pullReference(`file://${path}:app`)).digest).toBe(app.digest);
  });

  const names: [name: string, image: TestImage][] = [
    [':app', app],
    [':app:latest', app],
    [':latest', app],
    [':registry.example/app:2', app],
    [':docker.io/library/shared:1', shared],
    [`@${sha256(shared.config)}`, shared],
  ];
  // How an archive is packed has no part in names.
  it.each(packed === 'plain' ? names : names.slice(-1))('by the old docker save: %s', async (name, image) => {
    const path = await writeArchive(pack(makeTar(oldDockerFiles)));
    const pulled = await pullReference(`file://${path}${name}`);
    expect(pulled).toMatchObject({ digest: sha256(image.config), layers: image.diffIds });
    await expectStored(image);
  });

  it('whose layers are compressed themselves', async () => {
    const files = dockerFiles([{ image: app, names: null }]).map((file) => {
      const found = app.layers.find(({ tar }) => tar === file.contents);
      return found ? { ...file, contents: found.blob } : file;
    });
    const path = await writeArchive(pack(makeTar(files)));
    expect((await pullReference(`file://${path}`)).layers).toEqual(app.diffIds);
    await expectStored(app);
  });

  it('that a browser picks', async () => {
    const file = new File([pack(makeTar(layout)) as BlobPart], 'my image.tar');
    const pulled = await pull(pickedSource(file, { name: 'app' }, archives), store);
    expect(pulled).toMatchObject({ digest: app.digest, reference: 'file://my image.tar:app' });
    await expectStored(app);
  });

  it.each([
    ['several images and no name', oldDockerFiles, '', /holds several images: add a colon/],
    ['no such image', oldDockerFiles, ':none', /there is no image .*, but others/],
    ['no image at all', [{ path: 'x', contents: new Uint8Array(3) }], '', /holds no image/],
    ['an image of another platform', dockerFiles([{ image: foreign, names: [] }]), '', /offers linux\/s390x/],
    [
      'a layer that is not there',
      dockerFiles([{ image: tool, names: [] }]).filter(({ path }) => !path.endsWith('layer.tar')),
      '',
      /has no \w+\/layer.tar/,
    ],
    [
      'a layer that is another',
      dockerFiles([{ image: tool, names: [] }]).map((file) =>
        file.path.endsWith('layer.tar') ? { ...file, contents: first.tar } : file,
      ),
      '',
      /its tar is not what its digest says/,
    ],
    [
      'a configuration that is another',
      dockerFiles([{ image: tool, names: [] }]).map((file) =>
        file.path.endsWith('.json') && file.path !== 'manifest.json'
          ? { ...file, contents: app.config }
          : file,
      ),
      '',
      /the configuration is not what its digest says/,
    ],
    [
      'links in circles',
      [
        { path: 'manifest.json', target: 'a' },
        { path: 'a', target: './manifest.json' },
      ],
      '',
      /holds no image/,
    ],
    ['a bad manifest.json', [{ path: 'manifest.json', contents: jsonBytes({ a: 1 }) }], '', /not a list/],
  ])('with %s', async (_name, files, name, message) => {
    const path = await writeArchive(pack(makeTar(files)));
    expect((await failure(pullReference(`file://${path}${name}`))).message).toMatch(message);
    expect(await store.snapshot()).toEqual({});
  });

  it('that is damaged', async () => {
    const whole = pack(makeTar(layout));
    const path = await writeArchive(whole.subarray(0, whole.length / 2));
    const { message } = await failure(pullReference(`file://${path}:app`));
    expect(message).toContain(path);
    expect(message).toMatch(/is not an archive of images: the tar ends within an entry|: damaged \w+ data/);
  });
});

describe('a file', () => {
  it('that is not an archive', async () => {
    for (const bytes of [Buffer.alloc(5000, 'no tar '), new Uint8Array(0), Buffer.from('{}')]) {
      const path = await writeArchive(bytes);
      const error = await failure(pullReference(`file://${path}`));
      expect(error.message).toMatch(/is not an archive of images|holds no image/);
    }
  });

  it('that is missing, or a folder', async () => {
    const missing = await failure(pullReference(`file://${folder}/none.tar`));
    expect(missing).toMatchObject({ kind: 'not-found' });
    expect(missing.message).toMatch(/none.tar: there is no such file/);
    expect((await failure(pullReference(`file://${folder}`))).message).toMatch(/is a folder: name an image/);
    expect((await failure(pullReference('file:///dev/zero'))).message).toMatch(/is not a file/);
  });
});

it('reads a compressed archive in any order in few passes', async () => {
  const bytes = new Uint8Array(gzipSync(makeTar(oldDockerFiles)));
  const file = new File([bytes], 'x.tar.gz');
  let read = 0;
  const slice = file.slice.bind(file);
  file.slice = (...range) => {
    const part = slice(...range);
    read += part.size;
    return part;
  };
  await pull(pickedSource(file, { name: 'app' }, archives), store);
  // One pass indexes the archive, one reads its small files, one its layers. The first bytes are read apart.
  expect(read).toBeLessThanOrEqual(3 * bytes.length + 10);
});

describe('several images', () => {
  const named = (...names: string[]) => names.map((name) => ({ image: app, annotations: { [TAG]: name } }));

  it.each<[string, readonly TestFile[]]>([
    [
      'a layout',
      layoutFiles(
        [app, tool],
        makeIndex([...named('app'), { image: tool, annotations: { [NAME]: 'tool:1.0' } }]),
      ),
    ],
    [
      'an old archive',
      dockerFiles([
        { image: app, names: ['app'] },
        { image: tool, names: ['tool:1.0', 'tool:2'] },
      ]),
    ],
  ])('of %s are choices', async (_name, files) => {
    const path = await writeArchive(makeTar(files), 'a:b.tar');
    const reference = `file://${path.replaceAll(':', '%3A')}`;
    const { choices } = await failure(pullReference(reference));
    expect(choices).toEqual([`${reference}:app`, `${reference}:tool:1.0`]);
    for (const choice of choices) await pullReference(choice);
    expect((await failure(pullReference(`${reference}:none`))).choices).toEqual(choices);
  });

  it('without a name are chosen by digest', async () => {
    const index = makeIndex([{ image: app, annotations: { [TAG]: 'app' } }, { image: tool }]);
    const path = await writeArchive(makeTar(layoutFiles([app, tool], index)));
    const { choices } = await failure(pullReference(`file://${path}`));
    expect(choices).toEqual([`file://${path}:app`, `file://${path}@${tool.digest}`]);
  });

  it('are a hundred choices at most, and none that is read as something else', async () => {
    const hostile = ['a\nb', '\u202e', '', `x@${tool.digest}`, '\u2028'];
    const many = Array.from({ length: 300 }, (_, i) => `name${i}`);
    const index = makeIndex([{ image: tool, annotations: { [TAG]: 'tool' } }, ...named(...hostile, ...many)]);
    const path = await writeArchive(makeTar(layoutFiles([app, tool], index)));
    const { choices, message } = await failure(pullReference(`file://${path}`));
    expect(message).toMatch(/several/);
    expect(choices).toHaveLength(100);
    expect(choices.slice(0, 3)).toEqual(['tool', 'name0', 'name1'].map((name) => `file://${path}:${name}`));
  });
});

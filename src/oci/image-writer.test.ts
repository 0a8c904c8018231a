import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HAS_SKOPEO, HAS_UMOCI } from '../disk/testing/linux.ts';
import { collect } from './bytes.ts';
import { extendConfig, localName, manifestOf, writeImage } from './image-writer.ts';
import { CONFIG, makeTar, sha256 } from './testing/image.ts';

const folder = mkdtempSync(join(tmpdir(), 'linuxrun-writer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOW = Date.UTC(2026, 10, 28, 17);
const text = (contents: string) => new TextEncoder().encode(contents);
const lower = makeTar([
  { path: 'a', contents: text('lower') },
  { path: 'b', contents: text('gone') },
]);
const upper = makeTar([{ path: 'a', contents: text('upper') }, { path: '.wh.b' }]);
const tars = new Map([lower, upper].map((tar) => [sha256(tar) as string, tar]));
const layers = [...tars].map(([diffId, tar]) => ({ diffId: diffId as `sha256:${string}`, size: tar.length }));
const base = JSON.stringify({
  os: 'linux',
  architecture: 'riscv64',
  config: { ...CONFIG, User: '' },
  rootfs: { type: 'layers', diff_ids: [layers[0]?.diffId] },
  history: [{ created_by: 'first' }, { created_by: 'nothing', empty_layer: true }],
});
const config = extendConfig(base, layers[1]?.diffId as `sha256:${string}`, NOW, {
  author: 'Ada',
  comment: 'why',
  change: ({ Labels: _, ...config }) => ({ ...config, Cmd: ['sh'] }),
});

async function archive(): Promise<string> {
  const read = async function* ({ diffId }: { diffId: string }) {
    yield tars.get(diffId) as Uint8Array;
  };
  const tar = await collect(writeImage('docker.io/library/made:1', config, layers, read), 1 << 20, 'the tar');
  const path = join(folder, 'image.tar');
  writeFileSync(path, tar);
  return path;
}

const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' });

describe('the configuration of an image with one more layer', () => {
  it('has the layer, its history and the changes', () => {
    expect(JSON.parse(config)).toMatchObject({
      author: 'Ada',
      created: '2026-11-28T17:00:00.000Z',
      config: { Cmd: ['sh'] },
      rootfs: { diff_ids: layers.map(({ diffId }) => diffId) },
      history: [
        { created_by: 'first' },
        { empty_layer: true },
        { created_by: 'linuxrun commit', author: 'Ada', comment: 'why' },
      ],
    });
    expect(JSON.parse(config).config).not.toHaveProperty('Labels');
  });

  it('does not keep a history that leaves layers out', () => {
    const { history: _, ...without } = JSON.parse(base);
    const extended = extendConfig(JSON.stringify(without), `sha256:${'0'.repeat(64)}`, NOW, {});
    expect(JSON.parse(extended).history).toHaveLength(2);
  });
});

describe('an image in a tar', () => {
  it.skipIf(!HAS_SKOPEO)('is accepted and copied by skopeo', async () => {
    const source = `oci-archive:${await archive()}`;
    const { digest } = await manifestOf(config, layers);
    expect(JSON.parse(run('skopeo', 'inspect', source))).toMatchObject({
      Digest: digest,
      Architecture: 'riscv64',
      Layers: layers.map(({ diffId }) => diffId),
    });
    run(
      'skopeo',
      'copy',
      '--insecure-policy',
      '-q',
      source,
      `docker-archive:${join(folder, 'copy.tar')}:made:1`,
    );
    expect(run('skopeo', 'inspect', '--config', `docker-archive:${await archive()}`)).toContain('Ada');
  });

  it.skipIf(!HAS_UMOCI || !HAS_SKOPEO)('is unpacked by umoci', async () => {
    const layout = join(folder, 'layout');
    execFileSync('mkdir', [layout]);
    execFileSync('tar', ['-xf', await archive(), '-C', layout]);
    run('umoci', 'unpack', '--image', `${layout}:1`, join(folder, 'bundle'));
    expect(readFileSync(join(folder, 'bundle/rootfs/a'), 'utf8')).toBe('upper');
    expect(() => readFileSync(join(folder, 'bundle/rootfs/b'))).toThrow('ENOENT');
  });

  it('fails if a layer is not what it should be', async () => {
    const read = async function* () {
      yield text('short');
    };
    const parts = writeImage('docker.io/library/made:1', config, layers, read);
    await expect(collect(parts, 1 << 20, 'the tar')).rejects.toThrow('has 5 bytes, not');
  });
});

it.each([
  ['made', 'docker.io/library/made:latest'],
  ['example.com/me/made:2', 'example.com/me/made:2'],
])('names an image %s', (name, canonical) => {
  expect(localName(name)).toBe(canonical);
});

it.each(['oci://folder:made', `made@sha256:${'0'.repeat(64)}`])('refuses the name %s', (name) => {
  expect(() => localName(name)).toThrow('is no name for a new image');
});

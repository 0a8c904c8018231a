import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeImage, findImageById, formatImages } from './images.ts';

const NOW = Date.UTC(2026, 10, 28, 14);
const LIST = {
  command: 'images',
  image: undefined,
  quiet: false,
  noTrunc: false,
  digests: false,
  format: undefined,
} as const;
const image = (reference: string, hex: string) => ({
  reference,
  digest: `sha256:${hex.repeat(64 / hex.length)}`,
  size: 1_762_816,
  lastUsed: new Date(NOW - 3_600_000),
});
const ALPINE = image('docker.io/library/alpine:3.20', 'abcd0123');
const OTHER = image('ghcr.io/owner/tool:latest', 'abcdef01');
const PINNED = image(`docker.io/owner/tool@sha256:${'1'.repeat(64)}`, '1234');
const LAYOUT = image('oci:///images:busybox', '5678');
const ALL = [ALPINE, OTHER, PINNED, LAYOUT];

beforeAll(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
});
afterAll(() => {
  vi.useRealTimers();
});

describe('a list of images', () => {
  it('is a table of the names that users of Docker write', () => {
    expect(formatImages(ALL, LIST).split('\n')).toEqual([
      'REPOSITORY           TAG       IMAGE ID       LAST USED           SIZE',
      'alpine               3.20      abcd0123abcd   About an hour ago   1.76MB',
      'ghcr.io/owner/tool   latest    abcdef01abcd   About an hour ago   1.76MB',
      'owner/tool           <none>    123412341234   About an hour ago   1.76MB',
      'oci:///images        busybox   567856785678   About an hour ago   1.76MB',
      '',
    ]);
  });

  it.each([
    [{ image: 'alpine', format: '{{.Tag}}' }, '3.20\n'],
    [{ image: 'alpine:3.20', format: '{{.Tag}}' }, '3.20\n'],
    [{ image: 'alpine:edge', format: '{{.Tag}}' }, ''],
    [{ image: 'oci:///images', quiet: true }, '567856785678\n'],
    [{ image: 'alpine', quiet: true, noTrunc: true }, `${ALPINE.digest}\n`],
    [{ image: 'alpine', format: '{{.Digest}}' }, `${ALPINE.digest}\n`],
    [{ image: 'nosuch', digests: true }, 'REPOSITORY   TAG   DIGEST   IMAGE ID   LAST USED   SIZE\n'],
  ])('with %j', (flags, text) => {
    expect(formatImages(ALL, { ...LIST, ...flags })).toBe(text);
  });
});

it.each([
  ['abcd01', ALPINE],
  ['sha256:5678', LAYOUT],
  [OTHER.digest, OTHER],
])('finds an image by %s', (text, found) => {
  expect(findImageById(ALL, text)).toBe(found);
});

it.each([
  ['abcd', 'several images have an ID that begins with abcd: write more of it'],
  ['567', 'No such image: 567'],
  ['sha256:567', 'No such image: sha256:567'],
  ['sha256:9999', 'No such image: sha256:9999'],
  ['', 'No such image: '],
])('finds no image by %j', (text, message) => {
  expect(() => findImageById(ALL, text)).toThrow(expect.objectContaining({ message, status: 1 }));
});

it('describes an image in the shape of Docker', () => {
  const config = {
    architecture: 'arm64',
    entrypoint: ['/entry'],
    cmd: ['sh'],
    env: ['A=b'],
    workingDir: '/srv',
    user: 'nobody',
    stopSignal: 'SIGINT',
    volumes: ['/data'],
    exposedPorts: ['80/tcp'],
    labels: { key: 'value' },
  };
  expect(describeImage({ ...ALPINE, config, layers: ['sha256:1'] })).toEqual({
    Id: ALPINE.digest,
    RepoTags: ['alpine:3.20'],
    RepoDigests: [`alpine@${ALPINE.digest}`],
    Architecture: 'arm64',
    Os: 'linux',
    Size: 1_762_816,
    Config: {
      User: 'nobody',
      ExposedPorts: { '80/tcp': {} },
      Env: ['A=b'],
      Entrypoint: ['/entry'],
      Cmd: ['sh'],
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      Labels: { key: 'value' },
      StopSignal: 'SIGINT',
    },
    RootFS: { Type: 'layers', Layers: ['sha256:1'] },
  });
  expect(describeImage({ ...PINNED, config, layers: [] })).toMatchObject({
    RepoTags: [],
    RepoDigests: [`owner/tool@${PINNED.digest}`],
  });
});

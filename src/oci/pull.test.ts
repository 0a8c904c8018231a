/** Pulls from malicious and broken registries end soon, with a clear error, and leave the store unchanged. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageFullError } from '../storage/errors.ts';
import { memoryFiles } from '../storage/memory.ts';
import { Store } from '../storage/store.ts';
import { ImageError } from './errors.ts';
import type { Timing } from './http.ts';
import { findImage, type PullEvent } from './pull.ts';
import { parseReference, type RegistryReference } from './reference.ts';
import { Registry } from './registry.ts';
import { ContentSource } from './resolve.ts';
import { browserCodecInNode } from './testing/browser-codec-in-node.ts';
import { FakeRegistry, type Interceptor } from './testing/fake-registry.ts';
import {
  CONFIG_TYPE,
  INDEX_TYPE,
  jsonBytes,
  LAYER_TYPE,
  MANIFEST_TYPE,
  makeImage,
  makeIndex,
  makeLayer,
  makeTar,
  sha256,
  type TestImage,
  type TestLayer,
} from './testing/image.ts';
import { find, NO_ANSWER, NO_END, pull, pullAndHold, TIMING, VisibleStore } from './testing/pull.ts';

const contents = (size: number) => new Uint8Array(randomBytes(size));
const good = makeLayer(makeTar([{ path: 'good', contents: contents(300_000) }]));
const other = makeLayer(makeTar([{ path: 'other', contents: contents(200_000) }]));
const before = makeImage([makeLayer(makeTar([{ path: 'before', contents: contents(5000) }]))]);

let registry: FakeRegistry;
let store: VisibleStore;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.add('before:1', before);
  store = new VisibleStore();
  await pull(source('before:1'), store);
  registry.requests.length = 0;
});

afterEach(() => registry.stop());

function source(name = 'app:1', timing = TIMING) {
  const reference = parseReference(`${registry.host}/${name}`) as RegistryReference;
  return new ContentSource(new Registry(reference, { fetch, timing }));
}

/** Pulls app:1, and checks that this fails soon and leaves no trace. */
async function failure(timing = TIMING): Promise<ImageError> {
  const snapshot = await store.snapshot();
  const start = performance.now();
  const error = await pull(source('app:1', timing), store).then(
    () => new Error('it did not fail'),
    (error) => error,
  );
  expect(error).toBeInstanceOf(ImageError);
  expect(error.message).not.toMatch(/[\p{C}]/u);
  expect(performance.now() - start).toBeLessThan(40_000);
  expect(await store.snapshot()).toEqual(snapshot);
  expect(await find(source().reference, store)).toBeUndefined();
  return error;
}

describe('a good image', () => {
  it('is stored, and found without its registry', async () => {
    registry.add('app:1', makeImage([good, other]));
    const events: PullEvent[] = [];
    const image = await pull(source(), store, { onEvent: (event) => events.push(event) });
    expect(image.config).toEqual({
      architecture: 'riscv64',
      entrypoint: ['/bin/program'],
      cmd: ['argument'],
      env: ['A=1', 'B=two words'],
      workingDir: '/srv',
      user: 'nobody:users',
      stopSignal: 'SIGINT',
      volumes: ['/data'],
      exposedPorts: ['80/tcp'],
      labels: { a: 'b' },
    });
    for (const { tar } of [good, other]) expect(Buffer.compare(await store.tar(sha256(tar)), tar)).toBe(0);
    await registry.stop();
    expect(await find(image.reference, store)).toEqual(image);

    const [first] = events;
    const layers = [good, other].map(({ tar, blob }) => {
      return { diffId: sha256(tar), size: blob.length, cached: false };
    });
    expect(first).toEqual({ type: 'resolved', digest: image.digest, layers });
    for (const { diffId, size } of layers) {
      const progress = events.filter((event) => event.type === 'progress' && event.diffId === diffId);
      expect(progress.at(-1)).toMatchObject({ received: size });
      expect(events).toContainEqual({ type: 'stored', diffId });
    }
    registry = await FakeRegistry.start();
  });

  it('shares layers, and stores each only once', async () => {
    registry.add('base:1', makeImage([good]));
    registry.add('app:1', makeImage([good, other, good]));
    await pull(source('base:1'), store);
    const events: PullEvent[] = [];
    const image = await pull(source(), store, { onEvent: (event) => events.push(event) });
    expect(image.layers).toEqual([good, other, good].map(({ tar }) => sha256(tar)));
    expect(events[0]).toMatchObject({
      layers: [
        { diffId: sha256(good.tar), cached: true },
        { diffId: sha256(other.tar), cached: false },
      ],
    });
    const blobs = registry.requests.filter(({ path }) => path.includes(sha256(good.blob)));
    expect(blobs).toHaveLength(1);
  });

  it('replaces the earlier image of its reference', async () => {
    registry.add('app:1', makeImage([good]));
    await pull(source(), store);
    const newer = makeImage([other]);
    registry.add('app:1', newer);
    await pull(source(), store);
    expect((await find(source().reference, store))?.digest).toBe(newer.digest);
  });

  it('is not found when a layer of it was evicted, and completed by the next pull', async () => {
    registry.add('app:1', makeImage([good, other]));
    await pull(source(), store);
    await store.layers.remove(sha256(good.tar));
    expect(await find(source().reference, store)).toBeUndefined();
    await pull(source(), store);
    expect(await find(source().reference, store)).toBeDefined();
  });

  it.each([
    ['manifest', (image: TestImage) => registry.add('app:1', image)],
    [
      'index',
      (image: TestImage) => {
        registry.add('app:x', image);
        const platform = { os: 'linux', architecture: 'riscv64' };
        registry.addIndex('app:1', makeIndex([{ image: before }, { image, platform }]));
      },
    ],
  ])('takes one request when it is stored and its %s still names it', async (_, publish) => {
    publish(makeImage([good, other]));
    const image = await pull(source(), store);
    registry.requests.length = 0;
    const events: PullEvent[] = [];
    expect(await pull(source(), store, { onEvent: (event) => events.push(event) })).toEqual(image);
    expect(registry.requests.map(({ path }) => path)).toEqual(['/v2/app/manifests/1']);
    const layers = [good, other].map(({ tar }) => ({ diffId: sha256(tar), size: tar.length, cached: true }));
    expect(events).toEqual([{ type: 'resolved', digest: image.digest, layers }]);
  });

  it('may have no layers, and plain, empty or mislabelled ones', async () => {
    const plain: TestLayer = { tar: good.tar, blob: good.tar, mediaType: LAYER_TYPE };
    const empty = makeLayer(new Uint8Array(1024));
    for (const layers of [[], [plain], [empty, plain]]) {
      registry.add('app:1', makeImage(layers));
      const image = await pull(source(), store);
      expect(image.layers).toHaveLength(layers.length);
    }
    expect(await store.tar(sha256(empty.tar))).toHaveLength(1024);
  });

  it('is pulled in the same way by browsers', async () => {
    registry.add('app:1', makeImage([good, other]));
    await pull(source(), store, { codec: browserCodecInNode });
    for (const { tar } of [good, other]) expect(Buffer.compare(await store.tar(sha256(tar)), tar)).toBe(0);
  });

  it('is fetched three layers at a time, and no more', async () => {
    const layers = Array.from({ length: 9 }, () =>
      makeLayer(makeTar([{ path: 'x', contents: contents(9) }])),
    );
    const image = makeImage(layers);
    registry.add('app:1', image);
    const blobs = new Set(layers.map(({ blob }) => sha256(blob)));
    let open = 0;
    let most = 0;
    registry.intercept = async (request, response) => {
      if (!blobs.has((request.url?.split('/').at(-1) ?? '') as `sha256:${string}`)) return false;
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      await new Promise((resolve) => setTimeout(resolve, 40));
      return false;
    };
    await pull(source(), store);
    expect(most).toBe(3);
  });

  it('is found in nested indexes', async () => {
    const image = makeImage([good]);
    const wrong = makeImage([other], { platform: { os: 'linux', architecture: 's390x' } });
    registry.add('app:x', image);
    registry.add('app:y', wrong);
    const inner = makeIndex([
      { image: wrong },
      { image, platform: { os: 'linux', architecture: 'riscv64' } },
    ]);
    registry.addIndex('app:inner', inner);
    const attestation = { os: 'unknown', architecture: 'unknown' };
    const outer = jsonBytes({
      schemaVersion: 2,
      manifests: [
        { mediaType: MANIFEST_TYPE, digest: wrong.digest, size: 1, platform: attestation },
        { mediaType: INDEX_TYPE, digest: sha256(inner), size: inner.length },
      ],
    });
    registry.addIndex('app:1', outer);
    expect((await pull(source(), store)).digest).toBe(image.digest);
  });
});

describe('a slow store', () => {
  it('slows down the registry, so that memory is bounded', async () => {
    const layers = Array.from({ length: 3 }, () =>
      makeLayer(makeTar([{ path: 'x', contents: contents(20 << 20) }])),
    );
    registry.add('app:1', makeImage(layers));
    let sent = 0;
    registry.intercept = async (request, response) => {
      const blob = registry.blobs.get(request.url?.split('/').at(-1) ?? '');
      if (!blob || blob.length < 1 << 20) return false;
      for (let at = 0; at < blob.length; at += 65_536) {
        const piece = blob.subarray(at, at + 65_536);
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
        sent += piece.length;
      }
      response.end();
      return true;
    };
    let stored = 0;
    let most = 0;
    const set = store.values.set.bind(store.values);
    store.values.set = async (key, value) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      most = Math.max(most, sent - stored);
      stored += value.length;
      await set(key, value);
    };
    await pull(source(), store);
    // Each layer has two chunks of 2 MiB, zlib's read-ahead and the sockets' buffers.
    expect(most).toBeLessThan(40 << 20);
  });
});

describe('an image for other machines', () => {
  const s390x = { os: 'linux', architecture: 's390x' };

  it('is refused with the list of available platforms', async () => {
    const image = makeImage([good], { platform: s390x });
    registry.add('app:x', image);
    registry.addIndex(
      'app:1',
      makeIndex([
        { image, platform: s390x },
        { image, platform: { os: 'windows', architecture: 'amd64' } },
        { image, platform: { os: 'linux', architecture: 'riscv64', variant: 'rva30u64' } },
        { image, platform: { os: 'unknown', architecture: 'unknown' } },
        { image },
      ]),
    );
    const error = await failure();
    expect(error.kind).toBe('platform');
    expect(error.message).toBe(
      `${source().reference} has no image for linux/riscv64, linux/arm64 or linux/amd64; it offers linux/riscv64/rva30u64, linux/s390x, windows/amd64; nor have the similar tags x`,
    );
  });

  it('is refused in one line of bounded length, whatever the platforms are called', async () => {
    const image = makeImage([good], { platform: s390x });
    const others = Array.from({ length: 100 }, (_, n) => ({
      image,
      platform: { os: `os${n}\r\n\u001b[31m`, architecture: 'x'.repeat(5000) },
    }));
    registry.addIndex('app:1', makeIndex(others));
    const { message } = await failure();
    expect(message).toMatch(/it offers os0 \[31m\/x+…, .*, 80 others$/);
    expect(message.length).toBeLessThan(5000);
  });

  it('is also refused without an index', async () => {
    registry.add('app:1', makeImage([good], { platform: s390x }));
    expect((await failure()).message).toMatch(/it offers linux\/s390x$/);
  });

  it('is refused when the index lies', async () => {
    const image = makeImage([good], { platform: s390x });
    registry.add('app:x', image);
    registry.addIndex('app:1', makeIndex([{ image, platform: { os: 'linux', architecture: 'riscv64' } }]));
    expect((await failure()).message).toMatch(/it offers linux\/s390x; nor have the similar tags x$/);
  });

  it('is refused when nothing names its platform', async () => {
    registry.addIndex('app:1', makeIndex([]));
    expect((await failure()).message).toMatch(/it offers nothing that says/);
  });
});

describe('a layer', () => {
  /** Serves the bad layer last, so that the pull has layers to remove. */
  async function failureOf(
    bad: TestLayer,
    changes: { diffId?: string; size?: number } = {},
    timing = TIMING,
  ) {
    const diffIds = [sha256(good.tar), (changes.diffId ?? sha256(bad.tar)) as `sha256:${string}`];
    const layers = [good, bad].map(({ blob, mediaType }) => ({
      mediaType,
      digest: sha256(blob),
      size: blob === bad.blob ? (changes.size ?? blob.length) : blob.length,
    }));
    registry.add('app:1', makeImage([good, bad], { diffIds }, { layers }));
    const goodOne = `/${sha256(good.blob)}`;
    const badOne = `/${sha256(bad.blob)}`;
    let goodSent = () => {};
    const sent = new Promise<void>((resolve) => {
      goodSent = resolve;
    });
    const { intercept } = registry;
    registry.intercept = async (request, response) => {
      if (request.url?.endsWith(goodOne)) response.on('finish', () => setTimeout(goodSent, 100));
      if (request.url?.endsWith(badOne)) await sent;
      return intercept?.(request, response) ?? false;
    };
    return failure(timing);
  }

  const asLayer = (blob: Uint8Array, tar = blob): TestLayer => ({ tar, blob, mediaType: LAYER_TYPE });
  const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));

  it('of another digest', async () => {
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(sha256(other.blob))) return false;
      // The same tar; only the time in the gzip header differs.
      response.end(other.blob.map((byte, at) => (at === 4 ? byte ^ 1 : byte)));
      return true;
    };
    const error = await failureOf(other);
    expect(error.kind).toBe('invalid');
    expect(error.message).toMatch(/^layer sha256:\w{12}: it is not what its digest says: expected sha256:/);
  });

  it('of another diffID', async () => {
    const error = await failureOf(other, { diffId: sha256(good.blob) });
    expect(error.message).toMatch(/its tar is not what its digest says/);
  });

  it('that is longer than in its manifest', async () => {
    const error = await failureOf(other, { size: other.blob.length - 1 });
    expect(error.message).toMatch(/larger than|not what its digest says/);
  });

  it('that is shorter than in its manifest', async () => {
    const error = await failureOf(other, { size: other.blob.length + 1 });
    expect(error.message).toMatch(/shorter than its manifest says|ended a download early/);
  });

  it('that is cut off every time', async () => {
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(sha256(other.blob))) return false;
      response.end(other.blob.subarray(0, 1000));
      return true;
    };
    const error = await failureOf(other);
    expect(error.kind).toBe('network');
    expect(error.message).toMatch(/ended a download early/);
  });

  it('that stalls', async () => {
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(sha256(other.blob))) return false;
      response.write(other.blob.subarray(0, 10));
      return true;
    };
    const error = await failureOf(other, {}, NO_END);
    expect(error.kind).toBe('network');
    expect(error.message).toMatch(/has stopped sending/);
  });

  const tar = makeTar([{ path: 'x', contents: contents(100_000) }]);
  const zstdMagic = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]);
  it.each([
    ['garbage', contents(50_000), /tar|header|checksum/],
    ['an HTML page', new TextEncoder().encode('<html>'.repeat(200)), /tar|header|checksum/],
    ['truncated gzip', gzip(tar).subarray(0, 60_000), /damaged gzip data/],
    [
      'gzip that turns into garbage',
      Buffer.concat([gzip(tar).subarray(0, 5000), contents(9000)]),
      /damaged gzip/,
    ],
    ['gzip of garbage', gzip(contents(50_000)), /tar|header|checksum/],
    ['truncated zstd', Buffer.concat([zstdMagic, new Uint8Array([0, 0x48, 0, 0])]), /damaged zstd data/],
    // A frame header with a small window, then a block of the reserved type (RFC 8878, section 3.1.1.2).
    [
      'zstd that is garbage',
      Buffer.concat([zstdMagic, new Uint8Array([0, 0x48, 7]), contents(10_000)]),
      /damaged zstd data/,
    ],
    ['a truncated tar', tar.subarray(0, 70_000), /ends within an entry/],
  ])('that is %s', async (_name, blob, message) => {
    const error = await failureOf(asLayer(new Uint8Array(blob)));
    expect(error.kind).toBe('invalid');
    expect(error.message).toMatch(message);
  });

  it('that leads out of the root', async () => {
    const bad = makeLayer(makeTar([{ path: '../../etc/passwd', contents: contents(5) }]));
    expect((await failureOf(bad)).message).toMatch(/\.\./);
  });

  it('that is a gzip bomb', async () => {
    // A file of zeros in a well-formed tar with the right digests: only the expansion is suspicious.
    const zeros = new Uint8Array(400 << 20);
    const bomb = makeTar([{ path: 'zeros', contents: zeros }]);
    const error = await failureOf(asLayer(gzip(bomb), bomb));
    expect(error.message).toMatch(/expands to more than 250 times its size/);
  }, 60_000);

  it('that is too large', async () => {
    registry.add('app:1', makeImage([good]));
    const snapshot = await store.snapshot();
    const limits = { layer: good.tar.length - 1 };
    await expect(pull(source(), store, { limits })).rejects.toThrow(/its tar is larger than/);
    expect(await store.snapshot()).toEqual(snapshot);
  });
});

describe('a manifest', () => {
  const served = (bytes: Uint8Array, type = MANIFEST_TYPE) =>
    registry.manifests.set('app:1', { type, bytes });
  const descriptor = (bytes: Uint8Array, mediaType = MANIFEST_TYPE) => {
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };

  it('of 100 MB, announced or not', async () => {
    for (const announce of [true, false]) {
      let sent = 0;
      registry.intercept = (_, response) => {
        if (announce) response.setHeader('Content-Length', 100 << 20);
        const send = () => {
          if (sent >= 100 << 20 || response.destroyed) return response.end();
          sent += 1 << 20;
          return response.write(new Uint8Array(1 << 20).fill(32), send);
        };
        send();
        return true;
      };
      expect((await failure()).message).toBe('the manifest is larger than 4194304 bytes');
      expect(sent).toBeLessThan(50 << 20);
    }
  });

  it('that announces a small size in its index, and is large', async () => {
    const large = new Uint8Array(3 << 20).fill(32);
    const small = { ...descriptor(large), size: 100 };
    served(jsonBytes({ schemaVersion: 2, manifests: [small] }), INDEX_TYPE);
    registry.manifests.set(`app@${sha256(large)}`, { type: MANIFEST_TYPE, bytes: large });
    expect((await failure()).message).toMatch(/manifest is larger than 100 bytes/);
  });

  it('that is an index which points to itself', async () => {
    // No document can contain its own digest, so the registry has to lie.
    const digest = sha256(new Uint8Array(1));
    const index = jsonBytes({ schemaVersion: 2, manifests: [{ mediaType: INDEX_TYPE, digest, size: 183 }] });
    expect(index).toHaveLength(183);
    registry.intercept = (_, response) => {
      response.setHeader('Content-Type', INDEX_TYPE).end(index);
      return true;
    };
    expect((await failure()).message).toMatch(/manifest is not what its digest says/);
  });

  it('that is an index in an index in an index…', async () => {
    let inner = jsonBytes({ schemaVersion: 2, manifests: [] });
    for (let i = 0; i < 10; i++) {
      registry.manifests.set(`app@${sha256(inner)}`, { type: INDEX_TYPE, bytes: inner });
      inner = jsonBytes({ schemaVersion: 2, manifests: [descriptor(inner, INDEX_TYPE)] });
    }
    served(inner, INDEX_TYPE);
    expect((await failure()).message).toMatch(/over 4 deep/);
  });

  it('that is an index of many manifests without a platform', async () => {
    const images = Array.from({ length: 100 }, (_, n) =>
      makeImage([], { platform: { os: 'linux', architecture: 's390x' }, config: { Labels: { n: `${n}` } } }),
    );
    for (const image of images) registry.add('app:x', image);
    served(makeIndex(images.map((image) => ({ image }))), INDEX_TYPE);
    expect((await failure()).message).toMatch(/too many manifests/);
  });

  const image: TestImage = makeImage([good]);
  const json = JSON.parse(new TextDecoder().decode(image.manifest));
  it.each([
    ['an index and an image at once', { ...json, manifests: [] }, /ambiguous/],
    ['of the wrong media type', { ...json, mediaType: INDEX_TYPE }, /not of its media type/],
    [
      'with a layer of an odd type',
      withLayer({ mediaType: 'text/html' }),
      /unknown type of layer: text\/html/,
    ],
    ['with an encrypted layer', withLayer({ mediaType: `${LAYER_TYPE}+encrypted` }), /encrypted/],
    [
      'of something else',
      { ...json, config: { ...json.config, mediaType: 'a/helm' } },
      /not a container image/,
    ],
    ['with a bad digest', withLayer({ digest: 'sha256:../../x' }), /a layer has no valid digest/],
    ['with a negative size', withLayer({ size: -1 }), /a layer has no valid size/],
    ['with a size that is no number', withLayer({ size: '1' }), /a layer has no valid size/],
    ['with layers that are no list', { ...json, layers: { a: 1 } }, /list of layers is not a list/],
    ['with a layer missing', { ...json, layers: [] }, /differ in the number of layers/],
    ['with too many layers', { ...json, layers: Array(2000).fill(json.layers[0]) }, /over 1024 layers/],
    ['with a huge configuration', { ...json, config: { ...json.config, size: 1e9 } }, /larger than 4194304/],
  ])('%s', async (_name, manifest, message) => {
    registry.add('app:x', image);
    served(jsonBytes(manifest));
    const error = await failure();
    expect(error.kind).toBe('invalid');
    expect(error.message).toMatch(message);
  });

  function withLayer(changes: object) {
    return { ...json, layers: [{ ...json.layers[0], ...changes }] };
  }

  const file = JSON.parse(new TextDecoder().decode(image.config));
  it.each([
    ['no JSON', 'nonsense', /configuration is not valid JSON/],
    ['no rootfs', { ...file, rootfs: undefined }, /"rootfs" of the configuration/],
    ['an odd rootfs', { ...file, rootfs: { type: 'x' } }, /not made of layers/],
    ['bad diffIDs', { ...file, rootfs: { type: 'layers', diff_ids: ['x'] } }, /diffID is not a digest/],
    ['an odd Env', { ...file, config: { Env: [1] } }, /"Env" is not a list of texts/],
    ['an odd Cmd', { ...file, config: { Cmd: { a: 1 } } }, /"Cmd" is not a list/],
    [
      'NUL in its Entrypoint',
      { ...file, config: { Entrypoint: ['a\0b'] } },
      /"Entrypoint" is not valid text/,
    ],
    ['a User that is a number', { ...file, config: { User: 5 } }, /"User" is not valid text/],
  ])('whose configuration has %s', async (_name, content, message) => {
    const config = typeof content === 'string' ? new TextEncoder().encode(content) : jsonBytes(content);
    registry.blobs.set(sha256(config), config);
    served(jsonBytes({ ...json, config: descriptor(config, CONFIG_TYPE) }));
    expect((await failure()).message).toMatch(message);
  });
});

describe('a registry', () => {
  it.each<[string, Interceptor, RegExp, Timing?]>([
    ['that never answers', () => true, /does not answer/, NO_ANSWER],
    ['that hangs up', (_, response) => !!response.destroy(), /cannot reach/],
    ['that stalls in the manifest', (_, response) => response.write('{') || true, /stopped sending/, NO_END],
    [
      'that redirects in circles',
      (_, response) => !!response.writeHead(302, { Location: '/v2/x' }).end(),
      /redirects too often/,
    ],
    ['that is broken', (_, response) => !!response.writeHead(500).end(), /answered 500/],
    [
      'that swears',
      (_, response) => !!response.writeHead(400).end('{"errors":[{"message":"\\u001b]0;owned\\u0007"}]}'),
      /answered 400/,
    ],
  ])('%s', async (_name, intercept, message, timing) => {
    registry.intercept = intercept;
    expect((await failure(timing)).message).toMatch(message);
  });
});

describe('a pull that is aborted', () => {
  it('ends at once with the reason, and leaves nothing incomplete', async () => {
    registry.add('app:1', makeImage([good, other]));
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(sha256(other.blob))) return false;
      response.write(other.blob.subarray(0, 100_000));
      return true;
    };
    const controller = new AbortController();
    const reason = new Error('the user has had enough');
    const onEvent = (event: PullEvent) => {
      if (event.type === 'stored') setTimeout(() => controller.abort(reason), 20);
    };
    const { signal } = controller;
    await expect(pull(source(), store, { signal, onEvent })).rejects.toBe(reason);
    // Complete layers stay for the next pull.
    const layers = (await store.layers.usage()).map(({ diffId }) => diffId).sort();
    expect(layers).toEqual([...before.diffIds, sha256(good.tar)].sort());
    await store.layers.remove(sha256(good.tar));
    expect(Object.keys(await store.snapshot())).toHaveLength(4);
  });

  it('does not start if it is aborted already', async () => {
    registry.add('app:1', makeImage([good]));
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(pull(source(), store, { signal })).rejects.toThrow('too late');
    expect(registry.requests).toEqual([]);
  });
});

describe('an image that is held', () => {
  const everything = Number.POSITIVE_INFINITY;
  let other: Store;

  beforeEach(() => {
    other = new Store(store.values, store.locks, memoryFiles());
    registry.add('app:1', makeImage([good, makeLayer(makeTar([{ path: 'x', contents: contents(1000) }]))]));
  });

  it('stays complete after its pull, even if others need room, until it is released', async () => {
    await store.layers.evict(everything);
    const image = await pullAndHold(source(), store);
    expect(await other.layers.evict(everything)).toBe(0);
    const again = await pullAndHold(source(), other);
    await image.release();
    expect(await store.layers.evict(everything)).toBe(0);
    await again.release();
    expect(await store.layers.evict(everything)).toBeGreaterThan(0);
  });

  it('stays complete if it was found in the store', async () => {
    await store.layers.evict(everything);
    const { reference } = await pull(source(), store);
    const image = await findImage(reference, store);
    expect(await other.layers.evict(everything)).toBe(0);
    for (const diffId of image?.layers ?? []) expect(await other.layers.remove(diffId)).toBe(false);
    await image?.release();
    await image?.release();
    expect(await other.layers.evict(everything)).toBeGreaterThan(0);
    expect(await findImage(reference, store)).toBeUndefined();
  });

  it('releases the other layers if one is missing', async () => {
    const { reference, layers } = await pull(source(), store);
    await other.layers.remove(layers.at(-1) ?? '');
    expect(await findImage(reference, store)).toBeUndefined();
    expect(await store.locks.held()).toEqual(new Set());
  });
});

describe('a store without room', () => {
  it('makes room by evicting unused layers', async () => {
    store = new VisibleStore(1_000_000);
    const old = makeImage([makeLayer(makeTar([{ path: 'old', contents: contents(400_000) }]))]);
    registry.add('old:1', old);
    await pull(source('old:1'), store);
    registry.add('app:1', makeImage([makeLayer(makeTar([{ path: 'x', contents: contents(700_000) }]))]));
    const image = await pull(source(), store);
    expect(await find(image.reference, store)).toEqual(image);
    expect(await store.layers.has(old.diffIds[0] ?? '')).toBe(false);
  });

  it('fails with a clear error, and never evicts layers of the same image', async () => {
    store = new VisibleStore(600_000);
    registry.add('base:1', makeImage([good]));
    await pull(source('base:1'), store);
    const snapshot = await store.snapshot();
    const large = makeLayer(makeTar([{ path: 'x', contents: contents(400_000) }]));
    registry.add('app:1', makeImage([good, large]));
    await expect(pull(source(), store)).rejects.toThrow(StorageFullError);
    expect(await store.snapshot()).toEqual(snapshot);
  });

  it('fails if the layers of one image do not fit together', async () => {
    store = new VisibleStore(700_000);
    const layers = [400_000, 400_001].map((size) => {
      return makeLayer(makeTar([{ path: 'x', contents: contents(size) }]));
    });
    registry.add('app:1', makeImage(layers));
    await expect(pull(source(), store)).rejects.toThrow(StorageFullError);
    expect(await find(source().reference, store)).toBeUndefined();
  });
});

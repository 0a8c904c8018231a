/** A page whose functions the test calls to run containers. */
import * as api from '../../src/api/browser.ts';
import { createKilled, type Role, workUntilKilled } from '../../src/api/testing/killed.ts';
import { type ContainerMachine, startContainer } from '../../src/container/container.ts';
import { loadImage } from '../../src/container/image.ts';
import { readKeptDisk } from '../../src/disk/kept-disk-file.ts';
import { browserPlatform } from '../../src/machine/platform/browser.ts';
import { browserCodec } from '../../src/oci/browser-codec.ts';
import { browserSource } from '../../src/oci/browser-source.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { browserStore } from '../../src/storage/browser.ts';
import type { OpenContainer } from '../../src/storage/container-store.ts';
import { chunks } from '../../src/streams/chunks.ts';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The number of layers that were fetched. */
  readonly fetched: number;
  /** The number of regions that were compiled because earlier runs needed them. */
  readonly storedRegions: number;
}

const DECODER = new TextDecoder();

function load(reference: string, onStored: () => void = () => {}) {
  return loadImage(
    browserSource(parseReference(reference), { base: new URL(location.href) }),
    browserStore(),
    {
      codec: browserCodec,
      preferStored: false,
      signal: new AbortController().signal,
      onEvent: ({ type }) => {
        if (type === 'stored') onStored();
      },
    },
  );
}

async function run(reference: string, args: readonly string[], input: string): Promise<Result> {
  let fetched = 0;
  const image = load(reference, () => fetched++);
  const size = { cpus: 1, memoryBytes: 2 ** 28, diskBytes: 2 ** 28 };
  const platform = browserPlatform(new URL(location.href));
  const container = await startContainer({ platform, store: '', image, args, ...size });
  const stdin = container.stdin.getWriter();
  void stdin.write(new TextEncoder().encode(input));
  void stdin.close();
  const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();
  const [stdout, stderr, , status] = await Promise.all([
    text(container.stdout),
    text(container.stderr),
    text(container.messages),
    container.exit,
  ]);
  await container.destroy();
  return { status, stdout, stderr, fetched, storedRegions: container.stats().jit.storedRegions };
}

/** What the test gives the page. */
declare const tell: (text: string) => Promise<void>;

let running: { machine: ContainerMachine; owner: OpenContainer } | undefined;

async function own(name: string, reference: string, diskBytes: number): Promise<OpenContainer> {
  const { containers } = browserStore();
  if (await containers.get(name)) return containers.open(name);
  const image = await load(reference);
  try {
    const { digest, layers } = image;
    const times = { created: Date.now(), lastUsed: Date.now() };
    const rest = { config: '{}', options: {}, diskBytes, ...times };
    return await containers.create({ name, id: crypto.randomUUID(), reference, digest, layers, ...rest });
  } finally {
    await image.release();
  }
}

/** Runs a script in a kept container, and tells its output and the problems of its disk. */
async function startKept(name: string, reference: string, script: string, diskBytes: number): Promise<void> {
  const owner = await own(name, reference, diskBytes);
  const machine = await startContainer({
    platform: browserPlatform(new URL(location.href)),
    store: '',
    image: load(reference),
    keptDisk: { disk: owner.record.id },
    ...{ args: ['sh', '-c', script], cpus: 1, memoryBytes: 2 ** 27, diskBytes },
    onDiskProblem: (problem) => void tell(`problem: ${problem}\n`),
  });
  running = { machine, owner };
  for (const stream of [machine.stdout, machine.stderr, machine.messages])
    void (async () => {
      for await (const bytes of chunks(stream)) await tell(DECODER.decode(bytes));
    })();
}

async function writeKept(input: string): Promise<void> {
  const writer = running?.machine.stdin.getWriter();
  await writer?.write(new TextEncoder().encode(input));
  writer?.releaseLock();
}

async function stopKept(): Promise<void> {
  await running?.machine.destroy();
  await running?.owner.close();
}

/** The chunks of a kept disk, now or at a checkpoint, in base64. */
async function readKept(name: string, checkpoint?: number): Promise<[number, string][]> {
  const store = browserStore();
  const { record, close } = await store.containers.open(name);
  const all: [number, string][] = [];
  for await (const [chunk, bytes] of readKeptDisk(store.disks, record.id, checkpoint)) {
    let text = '';
    for (let at = 0; at < bytes.length; at += 4096)
      text += String.fromCharCode(...bytes.subarray(at, at + 4096));
    all.push([chunk, btoa(text)]);
  }
  await close();
  return all;
}

/** The digests of all layers' chunks. */
async function layersOf(): Promise<string> {
  const { values } = browserStore();
  let text = '';
  for (const key of (await values.keys('chunk/')).sort()) {
    const hash = await crypto.subtle.digest('SHA-256', (await values.get(key)) as Uint8Array<ArrayBuffer>);
    text += `${key} ${new Uint8Array(hash).join(' ')}\n`;
  }
  return text;
}

const recordOf = (name: string) => browserStore().containers.get(name);

api.configure({ assets: new URL('/', location.href) });
const saving = {
  createKilled: (image: string, name: string) => createKilled(api, image, name),
  workUntilKilled: (image: string, role: Role) =>
    workUntilKilled(api, image, role, (line) => tell(`${line}\n`)),
};

/** Runs a script with a picked folder, played by the origin's own, and one that the browser keeps. */
async function share(script: string, image = 'oci://images:busybox'): Promise<string> {
  const root = await navigator.storage.getDirectory();
  const picked = await root.getDirectoryHandle('picked', { create: true });
  const container = await new api.Container(image)
    .memory('512M')
    .mount('/picked', picked)
    .mount('/kept', new api.BrowserFolder('kept'))
    .entrypoint('sh')
    .args(['-c', script])
    .run();
  const output = await container.waitWithOutput();
  return output.text() + DECODER.decode(output.stderr);
}

/** Puts a file of the server into the picked folder. */
async function fetchPicked(name: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const picked = await root.getDirectoryHandle('picked', { create: true });
  const file = await picked.getFileHandle(name, { create: true });
  const { body } = await fetch(name);
  await body?.pipeTo(await file.createWritable());
}

/** The text of a file of the picked folder. */
async function readPicked(name: string): Promise<string> {
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getDirectoryHandle('picked')).getFileHandle(name);
  return (await file.getFile()).text();
}

const folders = {
  share,
  fetchPicked,
  readPicked,
  listFolders: () => api.BrowserFolder.list(),
  removeFolder: () => new api.BrowserFolder('kept').remove(),
};

Object.assign(globalThis, {
  ...folders,
  run,
  startKept,
  writeKept,
  stopKept,
  readKept,
  layersOf,
  recordOf,
  ...saving,
});

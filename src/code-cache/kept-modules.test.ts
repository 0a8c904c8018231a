import { beforeEach, expect, test, vi } from 'vitest';
import { findKeptModule, keepsModules, keptCompiler, keptModules, offerKeptModules } from './kept-modules.ts';

const SCOPE = 'https://linuxrun.example/app/';
const FOLDER = keptModules(SCOPE);
const WORKER = `${SCOPE}assets/worker.js`;

/** A cache as browsers have it, and its service worker. */
class FakeCache {
  readonly kept = new Map<string, Uint8Array<ArrayBuffer>>();

  async match(url: string): Promise<Response | undefined> {
    const bytes = this.kept.get(url);
    return bytes && new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } });
  }

  async put(url: string, response: Response): Promise<void> {
    this.kept.set(url, new Uint8Array(await response.arrayBuffer()));
  }

  async keys(): Promise<{ readonly url: string }[]> {
    return [...this.kept.keys()].map((url) => ({ url }));
  }

  async delete({ url }: { readonly url: string }): Promise<boolean> {
    return this.kept.delete(url);
  }
}

/** A module with a custom section of this content. */
function moduleOf(number: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, number);
}

/** Compiles a module in a visit of its own. */
const compileKept = (folder: string, bytes: Uint8Array<ArrayBuffer>) => keptCompiler(folder)(bytes);

let all: Map<string, FakeCache>;
let cache: FakeCache;
let answers: ReturnType<typeof vi.fn<(url: string) => Promise<Response>>>;

beforeEach(async () => {
  all = new Map();
  answers = vi.fn(async (url) => (await findKeptModule(url, SCOPE)) ?? new Response('', { status: 404 }));
  vi.stubGlobal('caches', {
    open: async (name: string) => {
      const opened = all.get(name) ?? new FakeCache();
      all.set(name, opened);
      return opened;
    },
    has: async (name: string) => all.has(name),
    delete: async (name: string) => all.delete(name),
    match: async (url: string, { cacheName }: { readonly cacheName: string }) =>
      all.get(cacheName)?.match(url),
  });
  vi.stubGlobal('fetch', answers);
  vi.stubGlobal('location', { href: WORKER });
  vi.stubGlobal('navigator', { userAgentData: {} });
  await offerKeptModules(SCOPE);
  cache = all.get(FOLDER) as FakeCache;
  return () => vi.unstubAllGlobals();
});

/** The content of its section, whose name is empty. */
const numberOf = (module: WebAssembly.Module) =>
  new Uint8Array(WebAssembly.Module.customSections(module, '')[0] as ArrayBuffer)[0];

test('asks the service worker for a module, which is kept', async () => {
  for (const _ of [1, 2]) expect(numberOf(await compileKept(FOLDER, moduleOf(7)))).toEqual(7);
  expect(answers).toHaveBeenCalledTimes(2);
  expect([...cache.kept.values()]).toEqual([moduleOf(7)]);
});

test('keeps the newest modules', async () => {
  for (let number = 0; number < 20; number++) await compileKept(FOLDER, moduleOf(number));
  const kept = [...cache.kept.values()].map((bytes) => bytes.at(-1));
  expect(kept).toEqual(Array.from({ length: 16 }, (_, n) => n + 4));
});

test('keeps what each visit asks for', async () => {
  for (let number = 1; number < 20; number++) {
    const compile = keptCompiler(FOLDER);
    for (const each of [0, number]) await compile(moduleOf(each));
  }
  const kept = [...cache.kept.values()].map((bytes) => bytes.at(-1));
  expect(kept).toEqual([0, ...Array.from({ length: 15 }, (_, n) => n + 5)]);
});

test('asks no more in a visit in which the service worker has not answered', async () => {
  answers.mockRejectedValue(new DOMException('late', 'TimeoutError'));
  const compile = keptCompiler(FOLDER);
  for (const number of [1, 2, 3]) expect(numberOf(await compile(moduleOf(number)))).toEqual(number);
  expect(answers).toHaveBeenCalledOnce();
});

test('keeps none where the service worker of another folder answers', async () => {
  const other = keptModules('https://linuxrun.example/blog/');
  expect(numberOf(await compileKept(other, moduleOf(7)))).toEqual(7);
  expect(answers).not.toHaveBeenCalled();
  expect([...all.keys()]).toEqual([FOLDER]);
});

test.each<[string, boolean, string, object]>([
  ['keeps modules in Chromium', true, WORKER, { userAgentData: {} }],
  ['keeps none in other browsers', false, WORKER, {}],
  ['keeps none in a page elsewhere', false, 'https://linuxrun.example/blog/w.js', { userAgentData: {} }],
])('%s', async (_, keeps, href, navigator) => {
  vi.stubGlobal('location', { href });
  vi.stubGlobal('navigator', navigator);
  expect(keepsModules(SCOPE)).toBe(keeps);
  all.clear();
  await offerKeptModules(SCOPE);
  expect([...all.keys()]).toEqual(keeps ? [FOLDER] : []);
});

test('forgets all modules with a new service worker', async () => {
  await compileKept(FOLDER, moduleOf(7));
  await offerKeptModules(SCOPE);
  expect([...all].map(([name, { kept }]) => [name, kept.size])).toEqual([[FOLDER, 0]]);
});

test.each<[string, () => void]>([
  ['without a service worker', () => all.clear()],
  ['without a cache', () => vi.stubGlobal('caches', undefined)],
  [
    'without room',
    () => vi.spyOn(cache, 'put').mockRejectedValue(new DOMException('full', 'QuotaExceededError')),
  ],
  ['without its service worker', () => answers.mockResolvedValue(new Response('', { status: 404 }))],
  ['when another program answers', () => answers.mockResolvedValue(new Response('<html>'))],
  ['when no one answers', () => answers.mockRejectedValue(new DOMException('late', 'TimeoutError'))],
])('compiles %s', async (_, hinder) => {
  hinder();
  expect(numberOf(await compileKept(FOLDER, moduleOf(3)))).toEqual(3);
});

test('rejects what is no module', async () => {
  await expect(compileKept(FOLDER, Uint8Array.of(1, 2, 3))).rejects.toThrow(WebAssembly.CompileError);
});

test('answers requests below its own folder only', async () => {
  expect(findKeptModule(`${SCOPE}assets/a.js`, SCOPE)).toBeUndefined();
  expect((await findKeptModule(`${FOLDER}unknown`, SCOPE))?.type).toBe('error');
});

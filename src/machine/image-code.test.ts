import { afterEach, expect, test, vi } from 'vitest';
import {
  type PackedPage,
  type PackedRegion,
  PackWriter,
  readPack,
  shipPack,
} from '../../emulator-wasm/jit/pack.ts';
import { SharedLog } from '../../emulator-wasm/jit/shared-log.ts';
import { portableVersion, translatorVersion } from '../../emulator-wasm/jit/version.ts';
import { M_STORED_REGIONS, STORED_USES } from '../../emulator-wasm/layout.ts';
import { CodeStore } from '../storage/code-store.ts';
import { MemoryStore } from '../storage/memory.ts';
import { allocateCode, ImageCode } from './image-code.ts';

const LAYERS = ['sha256:a'];

function region(hot: number, size = 1): PackedRegion {
  const page = { delta: 0, bytes: new Uint8Array(4096), entries: [{ offset: hot, number: 0 }], wide: [] };
  const body = { bytes: new Uint8Array(size), hints: Uint8Array.of(0), globals: [] };
  return { pages: [page], hot, isNarrow: false, isPortable: true, function: body };
}

/** A machine that runs an image of the store. */
async function machine(store: CodeStore) {
  const memory = new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });
  const buffers = allocateCode();
  const made = new SharedLog(buffers.made);
  const pack = new PackWriter();
  const onStored = vi.fn();
  const code = new ImageCode(memory, buffers, onStored);
  await code.open(store, LAYERS);
  return {
    code,
    onStored,
    stored: () => readPack(new SharedLog(buffers.stored).read()),
    compile: (hot: number, size?: number) => made.append(pack.add(region(hot, size)) as Uint8Array),
    use: (number: number) => {
      new Uint8Array(memory.buffer)[STORED_USES + number] = 1;
      new DataView(memory.buffer).setUint32(M_STORED_REGIONS, 1, true);
    },
  };
}

async function storedIn(store: CodeStore): Promise<number[]> {
  return readPack(await store.get(LAYERS, translatorVersion())).map(({ hot }) => hot);
}

afterEach(() => {
  vi.useRealTimers();
});

test('hands to a machine what earlier ones have compiled', async () => {
  vi.useFakeTimers();
  const store = new CodeStore(new MemoryStore());
  const first = await machine(store);
  expect(first.onStored).not.toHaveBeenCalled();
  first.compile(2);
  first.compile(4);
  await first.code.save();
  const second = await machine(store);
  await vi.advanceTimersByTimeAsync(499);
  expect(second.onStored).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(second.onStored).toHaveBeenCalledOnce();
  expect(second.stored()).toEqual([region(2), region(4)]);
});

test('hands code that belongs to no image to a machine, and stores none of it', async () => {
  vi.useFakeTimers();
  const store = new CodeStore(new MemoryStore());
  const first = await machine(store);
  first.compile(2);
  await first.code.save();
  const { bytes } = region(8).pages[0] as PackedPage;
  const pack = new PackWriter().add(region(8)) as Uint8Array;
  const second = await machine(store);
  second.code.addShipped(shipPack(pack, bytes, portableVersion()));
  second.code.addShipped(shipPack(pack, bytes, 'another version'));
  await vi.advanceTimersByTimeAsync(500);
  expect(second.onStored).toHaveBeenCalledOnce();
  expect(second.stored()).toEqual([region(2), region(8)]);
  second.use(1);
  second.compile(4);
  await second.code.save();
  expect(await storedIn(store)).toEqual([2, 4]);
});

test('stores only what is new, now and then', async () => {
  vi.useFakeTimers();
  const store = new CodeStore(new MemoryStore());
  const put = vi.spyOn(store, 'put');
  const { compile } = await machine(store);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(put).not.toHaveBeenCalled();
  compile(2);
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.waitFor(() => expect(put).toHaveBeenCalledOnce());
  await vi.advanceTimersByTimeAsync(10_000);
  compile(4);
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.waitFor(async () => expect(await storedIn(store)).toEqual([2, 4]));
  expect(put).toHaveBeenCalledTimes(2);
});

test('keeps what was used, and forgets what many runs with new code did not need', async () => {
  const store = new CodeStore(new MemoryStore());
  const first = await machine(store);
  for (const hot of [2, 4]) first.compile(hot);
  await first.code.save();
  for (let run = 0; run < 32; run++) {
    const next = await machine(store);
    next.use(next.stored().findIndex(({ hot }) => hot === 4));
    next.compile(100 + 2 * run);
    await next.code.save();
  }
  const stored = await storedIn(store);
  expect(stored).toContain(4);
  expect(stored).not.toContain(2);
});

test('does not write a large pack again for a little more', async () => {
  const store = new CodeStore(new MemoryStore());
  const first = await machine(store);
  first.compile(2, 400_000);
  await first.code.save();
  const second = await machine(store);
  second.compile(4);
  await second.code.save();
  expect(await storedIn(store)).toEqual([2]);
  second.compile(6, 10_000);
  await second.code.save();
  expect(await storedIn(store)).toEqual([2, 4, 6]);
});

test('runs that overlap lose nothing that is stored', async () => {
  vi.useFakeTimers();
  const store = new CodeStore(new MemoryStore());
  const [first, second] = [await machine(store), await machine(store)];
  first.compile(2);
  second.compile(4);
  await first.code.save();
  await second.code.save();
  expect(await storedIn(store)).toEqual([2, 4]);
});

test('does without a store that fails, and without a pack that is damaged', async () => {
  vi.useFakeTimers();
  const values = new MemoryStore();
  const store = new CodeStore(values);
  await store.put(LAYERS, translatorVersion(), Uint8Array.of(1, 2, 3));
  const damaged = await machine(store);
  expect(damaged.stored()).toEqual([]);
  vi.spyOn(values, 'get').mockRejectedValue(new Error('broken'));
  vi.spyOn(values, 'set').mockRejectedValue(new Error('full'));
  const { compile, code, onStored } = await machine(store);
  compile(2);
  await code.save();
  expect(onStored).not.toHaveBeenCalled();
});

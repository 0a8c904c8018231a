import { afterEach, expect, test, vi } from 'vitest';
import { decodeRegions, encodeRegion, recordsOf } from '../../emulator-wasm/jit/profile.ts';
import { SharedLog } from '../../emulator-wasm/jit/shared-log.ts';
import { MemoryStore } from '../storage/memory.ts';
import { ProfileStore } from '../storage/profile-store.ts';
import { allocateProfiles, ImageProfile } from './image-profile.ts';

const LAYERS = ['sha256:a'];

const region = (digest: bigint) => ({ pages: [{ delta: 0, digest, executed: [0] }], hot: 0 });

/** A machine that runs an image of the store. */
async function machine(store: ProfileStore) {
  const buffers = allocateProfiles();
  const made = new SharedLog(buffers.made);
  const onKnown = vi.fn();
  const profile = new ImageProfile(buffers, onKnown);
  await profile.open(store, LAYERS);
  return {
    profile,
    onKnown,
    known: () => decodeRegions(new SharedLog(buffers.known).read()),
    compile: (digest: bigint) => made.append(encodeRegion(region(digest))),
  };
}

afterEach(() => {
  vi.useRealTimers();
});

test('hands to a machine what earlier ones have compiled', async () => {
  vi.useFakeTimers();
  const store = new ProfileStore(new MemoryStore());
  const first = await machine(store);
  expect(first.onKnown).not.toHaveBeenCalled();
  first.compile(1n);
  first.compile(2n);
  await first.profile.save();
  const second = await machine(store);
  await vi.advanceTimersByTimeAsync(499);
  expect(second.onKnown).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(second.onKnown).toHaveBeenCalledOnce();
  expect(second.known()).toEqual([region(1n), region(2n)]);
});

test('stores only what is new, now and then', async () => {
  vi.useFakeTimers();
  const store = new ProfileStore(new MemoryStore());
  const put = vi.spyOn(store, 'put');
  const { compile } = await machine(store);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(put).not.toHaveBeenCalled();
  compile(1n);
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.waitFor(() => expect(put).toHaveBeenCalledOnce());
  compile(1n);
  await vi.advanceTimersByTimeAsync(10_000);
  compile(2n);
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.waitFor(() => expect(put).toHaveBeenCalledTimes(2));
  expect(decodeRegions(recordsOf(await store.get(LAYERS)))).toEqual([region(1n), region(2n)]);
});

test('runs that overlap lose nothing that is stored', async () => {
  vi.useFakeTimers();
  const store = new ProfileStore(new MemoryStore());
  const [first, second] = [await machine(store), await machine(store)];
  first.compile(1n);
  second.compile(2n);
  await first.profile.save();
  await second.profile.save();
  expect(decodeRegions(recordsOf(await store.get(LAYERS)))).toEqual([region(2n), region(1n)]);
});

test('does without a store that fails, and without a profile that is damaged', async () => {
  vi.useFakeTimers();
  const values = new MemoryStore();
  const store = new ProfileStore(values);
  await store.put(LAYERS, Uint8Array.of(1, 2, 3));
  const damaged = await machine(store);
  expect(damaged.onKnown).not.toHaveBeenCalled();
  vi.spyOn(values, 'get').mockRejectedValue(new Error('broken'));
  vi.spyOn(values, 'set').mockRejectedValue(new Error('full'));
  const { compile, profile, onKnown } = await machine(store);
  compile(1n);
  await profile.save();
  expect(onKnown).not.toHaveBeenCalled();
});

import { afterEach, describe, expect, test, vi } from 'vitest';
import * as layout from '../../emulator-wasm/layout.ts';
import { formatSize, MAX_CPUS, MIN_RAM } from '../options/limits.mjs';
import { parseSize } from '../options/sizes.mjs';
import { createMemory, fitMemory, guestRam, planMemory } from './memory.ts';

const MIB = 2 ** 20;

describe('planMemory', () => {
  test.each([1, 2, 4, layout.MAX_HARTS])('%i harts: blocks, page flags and RAM do not overlap', (harts) => {
    const plan = planMemory(harts, 256 * MIB);
    expect(plan.pageFlags).toBe(layout.HARTS + harts * layout.HART_STRIDE);
    expect(plan.ramBase).toBeGreaterThanOrEqual(plan.pageFlags + plan.ramSize / 4096);
    expect(plan.ramBase % 0x1_0000).toBe(0);
    expect(plan.pages * 0x1_0000).toBeGreaterThanOrEqual(plan.ramBase + plan.ramSize);
  });

  test.each([0, -1, 1.5, Number.NaN, 1e9, layout.MAX_HARTS + 1])('%d harts are refused', (harts) => {
    expect(() => planMemory(harts, 64 * MIB)).toThrow(/number of CPUs must be 1 to/);
  });

  test.each([
    [0, /too little: at least 32M/],
    [MIN_RAM - 4096, /too little: at least 32M/],
    [MIN_RAM + 1, /multiple of 4096/],
    [Number.NaN, /multiple of 4096/],
    [Number.POSITIVE_INFINITY, /too much/],
    [2 ** 32, /too much: at most \d+M with 1 CPU$/],
    [2 ** 52, /too much/],
  ])('%d bytes of RAM are refused', (size, message) => {
    expect(() => planMemory(1, size)).toThrow(message);
  });

  test.each([1, 3, layout.MAX_HARTS])('with %i harts, the limit that it names fits', (harts) => {
    let most = 0;
    try {
      planMemory(harts, 2 ** 32);
    } catch (error) {
      most = Number(/at most (\d+)M/.exec(String(error))?.[1]) * MIB;
    }
    expect(planMemory(harts, most).pages).toBeLessThanOrEqual(0x1_0000);
    expect(() => planMemory(harts, most + MIB)).toThrow(/too much/);
    expect([fitMemory(harts, 2 ** 32), fitMemory(harts, most + MIB), fitMemory(harts, most)]).toEqual(
      Array(3).fill(most),
    );
  });

  test('only what cannot be less than wanted is refused', () => {
    expect(fitMemory(1, MIN_RAM)).toBe(MIN_RAM);
    expect(() => fitMemory(1, 2 ** 32 + 4096)).toThrow('4194308K of memory is too much: at most 4G');
    expect(() => fitMemory(1, MIN_RAM / 2)).toThrow('16M of memory is too little: at least 32M');
  });
});

test('a machine has as many CPUs as the core has harts', () => {
  expect(MAX_CPUS).toBe(layout.MAX_HARTS);
});

test.each([
  [0, '0'],
  [1, '1'],
  [4096, '4K'],
  [1536 * MIB, '1536M'],
  [2 ** 31, '2G'],
  [2 ** 50, '1024T'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
  expect(parseSize(text)).toBe(bytes);
});

describe('createMemory', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('fills in the machine block', () => {
    const plan = planMemory(2, MIN_RAM);
    const memory = createMemory(plan, layout.MODE_FIRMWARE);
    const view = new DataView(memory.buffer);
    expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(view.getUint32(layout.M_HARTS, true)).toBe(2);
    expect(view.getUint32(layout.M_MODE, true)).toBe(layout.MODE_FIRMWARE);
    expect(view.getUint32(layout.M_RAM_BASE, true)).toBe(plan.ramBase);
    expect(view.getBigUint64(layout.M_RAM_SIZE, true)).toBe(BigInt(MIN_RAM));
    expect(view.getUint32(layout.M_PAGE_FLAGS, true)).toBe(plan.pageFlags);
    expect(guestRam(memory, plan).length).toBe(MIN_RAM);
  });

  test('gives each machine its own key, and reproducible runs always the same one', () => {
    const plan = planMemory(1, MIN_RAM);
    const key = (mode: number) =>
      [0, 8].map((at) =>
        new DataView(createMemory(plan, mode).buffer).getBigUint64(layout.M_CODE_KEY + at, true),
      );
    expect(key(0)).not.toEqual(key(0));
    expect(key(layout.MODE_ICOUNT)).toEqual(key(layout.MODE_ICOUNT));
  });

  test('names the headers that a page without isolation lacks', () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(() => createMemory(planMemory(1, MIN_RAM), 0)).toThrow(
      /Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/,
    );
  });

  test('says when the host has too little memory', () => {
    vi.stubGlobal('WebAssembly', {
      Memory: class {
        constructor() {
          throw new RangeError('could not allocate memory');
        }
      },
    });
    expect(() => createMemory(planMemory(1, 1024 * MIB), 0)).toThrow(/host cannot provide \d/);
  });
});

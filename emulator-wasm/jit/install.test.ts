import { expect, test } from 'vitest';
import { HART_STRIDE, HARTS, M_EVICTIONS } from '../layout.ts';
import { type CompiledCode, Installer } from './install.ts';
import { ModuleWriter } from './module.ts';
import { REGION_SIGNATURE } from './parameters.ts';
import { Code } from './wasm.ts';

const LIMITS = { regions: 8, modules: 100, bytes: 1000 };

/** The most regions that the core itself has room for. */
const ROOM = 12;

/** A core that keeps the numbers of its regions, the oldest first. */
class FakeCore implements CompiledCode {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  regions: number[] = [];

  install(_page: bigint, _hash: bigint, id: number): number {
    if (this.regions.length === ROOM) return 0;
    this.regions.push(id);
    return 1;
  }

  evict(last: number): void {
    this.regions = this.regions.slice(this.regions.indexOf(last) + 1);
  }

  /** Places of the table that hold a function. */
  get places(): number[] {
    return Array.from({ length: this.table.length }, (_, place) => place).filter(
      (place) => this.table.get(place) !== null,
    );
  }
}

function installer(limits = LIMITS) {
  const pages = Math.ceil((HARTS + HART_STRIDE) / 0x1_0000);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const core = new FakeCore();
  const subject = new Installer(core, memory, 0, limits);
  const words = new Int32Array(memory.buffer);
  const install = (regions: number, bytes = 10) => {
    const list = Array.from({ length: regions }, () => ({
      pages: [{ page: 0n, hash: 0n, entries: [{ offset: 0, number: 0 }] }],
    }));
    subject.install({ module: moduleOf(regions), bytes, globals: [], regions: list });
  };
  return { core, install, evictions: () => words[M_EVICTIONS >> 2] };
}

function moduleOf(regions: number): WebAssembly.Module {
  const writer = new ModuleWriter(REGION_SIGNATURE);
  for (let n = 0; n < regions; n++) {
    const code = new Code(REGION_SIGNATURE.parameters.length);
    code.i32(0);
    writer.add(code.finish());
  }
  return new WebAssembly.Module(writer.finish());
}

test('drops the oldest quarter of the modules when there are too many regions', () => {
  const { core, install, evictions } = installer();
  for (let n = 0; n < 8; n++) install(1);
  expect(evictions()).toBe(0);
  install(1);
  expect(evictions()).toBe(1);
  expect(core.regions.slice(0, -1)).toEqual([3, 4, 5, 6, 7, 8]);
  expect(core.places).toEqual(core.regions.toSorted((a, b) => a - b));
});

test('the table and the core hold the same regions, however many come', () => {
  const { core, install } = installer();
  for (const regions of [3, 1, 4, 2, 5, 8, 1, 1, 3, 7, 2, 2, 2, 2, 2]) {
    install(regions);
    expect(core.places).toEqual(core.regions.toSorted((a, b) => a - b));
    expect(core.regions.length).toBeLessThanOrEqual(LIMITS.regions);
  }
});

test('drops the oldest modules when there are too many bytes', () => {
  const { core, install } = installer();
  for (let n = 0; n < 3; n++) install(1, 400);
  expect(core.regions[0]).toBe(2);
  expect(core.places.length).toBe(2);
});

test('drops the oldest modules when the core has no room', () => {
  const { core, install } = installer({ ...LIMITS, regions: 100 });
  for (let n = 0; n < 6; n++) install(2);
  install(1);
  expect(core.regions.slice(0, -1)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  expect(core.places).toEqual(core.regions.toSorted((a, b) => a - b));
});

test('installs as much of a module as the core has room for', () => {
  const { core, install } = installer({ ...LIMITS, regions: 100 });
  install(20);
  expect(core.regions.length).toBe(ROOM);
  expect(core.places).toEqual(core.regions);
});

import { describe, expect, test } from 'vitest';
import { machineDeviceTree } from './device-tree.ts';

const MACHINE = {
  harts: 2,
  ramSize: 0x1_0010_0000,
  commandLine: 'console=hvc0',
  initrd: { start: 0x8100_0000, end: 0x8100_0123 },
  rngSeed: new Uint8Array(64).fill(7),
  virtioSlots: [0, 2, 8],
};

/** Reads all properties by path as the specification's chapter 5 says, independently of the writer. */
function decode(blob: Uint8Array): Map<string, Buffer> {
  const data = Buffer.from(blob);
  const strings = data.readUInt32BE(12);
  const text = (at: number) => data.toString('latin1', at, data.indexOf(0, at));
  const found = new Map<string, Buffer>();
  const path: string[] = [];
  for (let at = data.readUInt32BE(8); ; ) {
    const token = data.readUInt32BE(at);
    at += 4;
    if (token === 1) {
      path.push(text(at));
      at = (at + text(at).length + 4) & ~3;
    } else if (token === 2) {
      path.pop();
    } else if (token === 3) {
      const length = data.readUInt32BE(at);
      const name = text(strings + data.readUInt32BE(at + 4));
      found.set([...path, name].join('/'), data.subarray(at + 8, at + 8 + length));
      at = (at + 8 + length + 3) & ~3;
    } else {
      expect(token).toBe(9);
      return found;
    }
  }
}

function cells(value: Buffer | undefined): number[] {
  return Array.from({ length: (value?.length ?? 0) / 4 }, (_, index) => value?.readUInt32BE(4 * index) ?? 0);
}

describe('machineDeviceTree', () => {
  const tree = decode(machineDeviceTree(MACHINE));
  const strings = (path: string) => tree.get(path)?.toString().split('\0').slice(0, -1);

  test('gives Linux the ISA in both forms', () => {
    const extensions = strings('/cpus/cpu@1/riscv,isa-extensions') ?? [];
    const single = extensions.filter(({ length }) => length === 1).join('');
    const multi = extensions.filter(({ length }) => length > 1).join('_');
    expect(strings('/cpus/cpu@1/riscv,isa')).toEqual([`rv64${single}_${multi}`]);
    expect(single).toBe('imafdcv');
    expect(strings('/cpus/cpu@0/mmu-type')).toEqual(['riscv,sv39']);
    expect(cells(tree.get('/cpus/timebase-frequency'))).toEqual([10_000_000]);
  });

  test('splits addresses over 32 bits into two cells', () => {
    expect(cells(tree.get('/memory@80000000/reg'))).toEqual([0, 0x8000_0000, 1, 0x10_0000]);
    expect(cells(tree.get('/chosen/linux,initrd-start'))).toEqual([0, 0x8100_0000]);
    expect(cells(tree.get('/chosen/linux,initrd-end'))).toEqual([0, 0x8100_0123]);
  });

  test('connects the PLIC contexts 2n and 2n + 1 to M and S of hart n', () => {
    const hart = (n: number) => cells(tree.get(`/cpus/cpu@${n}/interrupt-controller/phandle`))[0];
    const plic = '/soc/interrupt-controller@c000000';
    expect(cells(tree.get(`${plic}/interrupts-extended`))).toEqual(
      [0, 1].flatMap((n) => [hart(n), 11, hart(n), 9]),
    );
    expect(cells(tree.get('/soc/interrupt-parent'))).toEqual(cells(tree.get(`${plic}/phandle`)));
  });

  test('has only the virtio slots that are in use', () => {
    const slots = [...tree.keys()].filter((path) => /virtio_mmio@\w+\/reg$/.test(path));
    expect(slots).toEqual(['10001000', '10003000', '10009000'].map((at) => `/soc/virtio_mmio@${at}/reg`));
    expect(cells(tree.get('/soc/virtio_mmio@10003000/interrupts'))).toEqual([3]);
    expect(cells(tree.get('/soc/virtio_mmio@10009000/interrupts'))).toEqual([12]);
  });

  test('leaves the console to the command line', () => {
    expect(tree.has('/chosen/stdout-path')).toBe(false);
    expect(strings('/chosen/bootargs')).toEqual(['console=hvc0']);
    expect(tree.get('/chosen/rng-seed')).toEqual(Buffer.alloc(64, 7));
  });

  test('has no initial RAM disk if there is none', () => {
    const bare = decode(machineDeviceTree({ ...MACHINE, initrd: undefined }));
    expect(bare.has('/chosen/linux,initrd-start')).toBe(false);
  });
});

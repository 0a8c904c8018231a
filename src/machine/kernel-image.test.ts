import { describe, expect, test } from 'vitest';
import { loadLinux, parseKernelHeader } from './kernel-image.ts';

const MIB = 2 ** 20;
const RAM_START = 0x8000_0000;

function makeKernel(imageSize = 3 * MIB, size = 2 * MIB): Buffer {
  const file = Buffer.alloc(size, 0xaa);
  file.writeBigUInt64LE(0x20_0000n, 8);
  file.writeBigUInt64LE(BigInt(imageSize), 16);
  file.writeBigUInt64LE(0n, 24);
  file.write('RSC\x05', 56, 'latin1');
  return file;
}

function patched(change: (file: Buffer) => void): Buffer {
  const file = makeKernel();
  change(file);
  return file;
}

describe('parseKernelHeader', () => {
  test('reads offset and size', () => {
    expect(parseKernelHeader(makeKernel())).toEqual({ textOffset: 0x20_0000, imageSize: 3 * MIB });
  });

  test.each([
    ['a compressed kernel', Buffer.from('1f8b0800000000000003', 'hex'), /compressed/],
    ['an empty file', Buffer.alloc(0), /damaged, or no RISC-V/],
    ['a kernel of another architecture', patched((file) => file.write('ARMd', 56)), /no RISC-V/],
    ['a big-endian kernel', patched((file) => file.writeUInt8(1, 24)), /big-endian/],
    ['a size below the file', patched((file) => file.writeBigUInt64LE(100n, 16)), /contradicts/],
    ['an odd offset', patched((file) => file.writeBigUInt64LE(0x1000n, 8)), /contradicts/],
  ])('refuses %s', (_, file, message) => {
    expect(() => parseKernelHeader(file)).toThrow(message);
  });
});

describe('loadLinux', () => {
  const initrd = new Uint8Array(5000).fill(0xbb);
  const deviceTree = new Uint8Array(100).fill(0xcc);

  test('puts initial RAM disk and device tree above the space that the kernel needs', () => {
    const ram = new Uint8Array(64 * MIB);
    let range: { start: number; end: number } | undefined;
    const boot = loadLinux(ram, makeKernel(), initrd, (given) => {
      range = given;
      return deviceTree;
    });
    expect(boot.entry).toBe(RAM_START + 2 * MIB);
    expect(range).toEqual({ start: RAM_START + 5 * MIB, end: RAM_START + 5 * MIB + 5000 });
    expect(boot.deviceTree).toBe(RAM_START + 5 * MIB + 8192);
    expect(ram[2 * MIB + 100]).toBe(0xaa);
    expect(ram.subarray(5 * MIB, 5 * MIB + 5001)).toEqual(Uint8Array.of(...initrd, 0));
    expect(ram[5 * MIB + 8192]).toBe(0xcc);
  });

  test('needs no initial RAM disk', () => {
    const ram = new Uint8Array(64 * MIB);
    const boot = loadLinux(ram, makeKernel(), undefined, (given) => {
      expect(given).toBeUndefined();
      return deviceTree;
    });
    expect(ram[boot.deviceTree - RAM_START]).toBe(0xcc);
  });

  test.each([
    ['the kernel', 3 * MIB, 2 * MIB],
    ['its BSS', 31 * MIB, 2 * MIB],
    ['the initial RAM disk', 30 * MIB - 4096, 2 * MIB],
  ])('says when RAM is too small for %s', (_, imageSize, fileSize) => {
    const ram = new Uint8Array(fileSize === imageSize ? 4 * MIB : imageSize < 4 * MIB ? 3 * MIB : 32 * MIB);
    expect(() => loadLinux(ram, makeKernel(imageSize, fileSize), initrd, () => deviceTree)).toThrow(
      /too little memory: .* need \d+ KiB more/,
    );
  });
});

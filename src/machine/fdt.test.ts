import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { writeFdt } from './fdt.ts';

const TREE = {
  properties: {
    '#address-cells': [2],
    model: 'x',
    list: ['ab', '', 'c'],
    empty: true,
    bytes: Uint8Array.of(1, 2, 3),
  },
  children: {
    'cpu@0': { properties: { model: 'y', reg: [0] }, children: { leaf: {} } },
    soc: { properties: { reg: [0xffff_ffff, 1] } },
  },
} as const;

/** The output of dtc 1.6.1 for the same tree, with `/memreserve/ 0x80000000 0x1234;`. */
const TREE_BY_DTC = `
  d00dfeed 00000132 00000048 00000108 00000028 00000011 00000010 00000000 0000002a 000000c0
  00000000 80000000 00000000 00001234 00000000 00000000 00000000 00000000
  00000001 00000000
  00000003 00000004 00000000 00000002
  00000003 00000002 0000000f 78000000
  00000003 00000006 00000015 61620000 63000000
  00000003 00000000 0000001a
  00000003 00000003 00000020 01020300
  00000001 63707540 30000000
  00000003 00000002 0000000f 79000000
  00000003 00000004 00000026 00000000
  00000001 6c656166 00000000 00000002
  00000002
  00000001 736f6300
  00000003 00000008 00000026 ffffffff 00000001
  00000002
  00000002
  00000009
  2361646472657373 2d63656c6c7300 6d6f64656c00 6c69737400 656d70747900 627974657300 72656700`;

test('writes the same bytes as dtc', () => {
  const blob = writeFdt(TREE, [{ address: 0x8000_0000n, size: 0x1234n }]);
  expect(Buffer.from(blob).toString('hex')).toBe(TREE_BY_DTC.replace(/\s/g, ''));
});

test('names the boot CPU', () => {
  expect(new DataView(writeFdt({}, [], 3).buffer).getUint32(28)).toBe(3);
});

test('grows with the tree', () => {
  const large = new Uint8Array(100_000).fill(0xa5);
  const blob = writeFdt({ properties: { large, small: [1] } });
  expect(new DataView(blob.buffer).getUint32(4)).toBe(blob.length);
  expect(Buffer.from(blob).includes(Buffer.from(large))).toBe(true);
});

describe('refuses', () => {
  test.each([
    ['a cell over 32 bits', { properties: { reg: [2 ** 32] } }],
    ['a negative cell', { properties: { reg: [-1] } }],
    ['NUL in a string', { properties: { model: 'a\0b' } }],
    ['a long property name', { properties: { ['p'.repeat(32)]: true } }],
    ['an empty property name', { properties: { '': true } }],
    ['a node name with a slash', { children: { 'a/b': {} } }],
    ['a long node name', { children: { ['n'.repeat(32)]: {} } }],
  ] as const)('%s', (_, root) => {
    expect(() => writeFdt(root)).toThrow(RangeError);
  });
});

test.runIf(spawnSync('dtc', ['--version']).status === 0)('dtc reads it back', () => {
  const dtc = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts', '-q'], { input: writeFdt(TREE), encoding: 'utf8' });
  expect(dtc.status).toBe(0);
  expect(dtc.stdout).toContain('list = "ab\\0\\0c"');
  expect(dtc.stdout).toContain('reg = <0xffffffff 0x01>');
});

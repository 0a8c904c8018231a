import { expect, test } from 'vitest';
import { V_DEVICE_ID, VIRTIO, VIRTIO_FILE_SIZE, VIRTIO_SLOTS } from '../../../emulator-wasm/layout.ts';
import { MemoryBlockBackend } from '../../disk/block-backend.ts';
import { type DeviceOptions, Devices } from './index.ts';
import { TestMachine } from './testing/guest-driver.ts';

const disk = { data: new Uint8Array(512), readOnly: false };
const block = (serial: string): DeviceOptions => ({ kind: 'block', serial, disk });

function make(list: DeviceOptions[]) {
  const machine = new TestMachine();
  const opened: unknown[] = [];
  const devices = new Devices(list, {
    memory: machine.memory,
    onConsole: () => {},
    openDisk: (options) => {
      opened.push(options);
      return new MemoryBlockBackend(512);
    },
  });
  const id = (slot: number) => machine.view.getUint32(VIRTIO + slot * VIRTIO_FILE_SIZE + V_DEVICE_ID, true);
  return { devices, opened, ids: Array.from({ length: VIRTIO_SLOTS }, (_, slot) => id(slot)) };
}

test('are those of the list, each in the slot of its place', () => {
  const { devices, ids, opened } = make([
    { kind: 'rng' },
    block('a'),
    { kind: 'console' },
    { kind: 'vsock' },
  ]);
  expect(ids.slice(0, 5)).toEqual([4, 2, 3, 19, 0]);
  expect([...devices].map(({ slot }) => slot)).toEqual([0, 1, 2, 3]);
  expect(devices.slots).toEqual([0, 1, 2, 3]);
  expect(opened).toEqual([disk]);
});

test('are found by their kind, which gives the first one', () => {
  const { devices } = make([block('a'), block('b'), { kind: 'rng' }]);
  expect(devices.find('block')?.slot).toBe(0);
  expect(devices.find('rng')?.slot).toBe(2);
  expect(devices.find('console')).toBeUndefined();
});

test('cannot be more than the slots', () => {
  const list = Array.from({ length: VIRTIO_SLOTS + 1 }, (_, index) => block(`${index}`));
  expect(() => make(list)).toThrow(RangeError);
  expect(make(list.slice(1)).devices.slots).toHaveLength(VIRTIO_SLOTS);
});

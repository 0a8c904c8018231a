import { expect, test } from 'vitest';
import {
  MACHINE,
  MACHINE_SIZE,
  PLIC_SOURCES,
  RTC_IRQ,
  UART_IRQ,
  VIRTIO,
  VIRTIO_FILE_SIZE,
  VIRTIO_SLOTS,
} from '../../../../emulator-wasm/layout.ts';
import { slotAddress, slotSource } from './slots.ts';

const SLOTS = Array.from({ length: VIRTIO_SLOTS }, (_, slot) => slot);

test('each slot has an interrupt source of its own', () => {
  const sources = [0, UART_IRQ, RTC_IRQ, ...SLOTS.map(slotSource)];
  expect(new Set(sources).size).toBe(sources.length);
  expect(Math.max(...sources)).toBeLessThan(PLIC_SOURCES);
});

test('the first eight have QEMU’s addresses', () => {
  expect([0, 7].map((slot) => [slotAddress(slot), slotSource(slot)])).toEqual([
    [0x1000_1000, 1],
    [0x1000_8000, 8],
  ]);
});

test('the register files of all slots are in the machine block', () => {
  expect(VIRTIO + VIRTIO_SLOTS * VIRTIO_FILE_SIZE).toBeLessThanOrEqual(MACHINE + MACHINE_SIZE);
});

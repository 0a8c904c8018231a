import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RELAY_WINDOW, RelayProtocolError } from './relay-protocol.ts';
import { Acknowledger, SendWindow } from './relay-window.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a window is full until the other end acknowledges', () => {
  const window = new SendWindow();
  window.sent(RELAY_WINDOW - 1);
  expect(window.isFull).toBe(false);
  window.sent(1500);
  expect(window.isFull).toBe(true);
  window.acknowledged(1500);
  expect(window.isFull).toBe(false);
  expect(window.outstanding).toBe(RELAY_WINDOW - 1);
});

test('bytes that were not sent cannot be acknowledged', () => {
  const window = new SendWindow();
  window.sent(10);
  expect(() => window.acknowledged(11)).toThrow(RelayProtocolError);
});

test('every 256 KiB are acknowledged at once, and the rest soon', () => {
  const acks: number[] = [];
  const acknowledger = new Acknowledger((bytes) => acks.push(bytes));
  acknowledger.took(200 << 10);
  expect(acks).toEqual([]);
  acknowledger.took(100 << 10);
  expect(acks).toEqual([300 << 10]);
  acknowledger.took(60);
  acknowledger.took(40);
  vi.advanceTimersByTime(1000);
  expect(acks).toEqual([300 << 10, 100]);
  expect(vi.getTimerCount()).toBe(0);
});

test('nothing is acknowledged after the end', () => {
  const acks: number[] = [];
  const acknowledger = new Acknowledger((bytes) => acks.push(bytes));
  acknowledger.took(60);
  acknowledger.close();
  vi.advanceTimersByTime(1000);
  expect(acks).toEqual([]);
});

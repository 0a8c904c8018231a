import { describe, expect, it } from 'vitest';
import type { NetworkStatus } from '../../api/public.ts';
import { advanceTraffic, briefTraffic, describeLimits, describeRefusals, type Traffic } from './traffic.ts';

const up = (received: number, sent: number): NetworkStatus => ({ state: 'up', received, sent });

/** The traffic after statuses that came at these times. */
function trafficAfter(...reports: [number, NetworkStatus][]): Traffic {
  return reports.reduce<Traffic | undefined>(
    (traffic, [now, status]) => advanceTraffic(traffic, status, now),
    undefined,
  ) as Traffic;
}

describe('the rate', () => {
  it('is that of the time between two reports', () => {
    const traffic = trafficAfter([1000, up(0, 0)], [3000, up(4 << 20, 2048)]);
    expect(briefTraffic(traffic)).toBe('2 MB/s down, 1 KB/s up');
  });

  it('is not taken from reports that follow each other at once', () => {
    const traffic = trafficAfter([1000, up(0, 0)], [2000, up(1024, 0)], [2001, up(2048, 0)]);
    expect(briefTraffic(traffic)).toBe('1 KB/s down, 0 B/s up');
    expect(traffic.status.received).toBe(2048);
  });

  it('is nothing when nothing has come since', () => {
    expect(briefTraffic(trafficAfter([0, up(0, 0)], [1000, up(9, 9)], [2000, up(9, 9)]))).toBe('connected');
  });

  it('is not told of a network that is away', () => {
    const down: NetworkStatus = { ...up(1 << 20, 0), state: 'down' };
    expect(briefTraffic(trafficAfter([0, up(0, 0)], [1000, down]))).toBe('down');
  });
});

it('refusals name the latest and the reason', () => {
  const refusal = { destination: '10.0.0.1:80', reason: 'address' } as const;
  expect(describeRefusals(up(0, 0))).toBeUndefined();
  expect(describeRefusals({ ...up(0, 0), refused: 1, refusal })).toBe(
    '10.0.0.1:80, because the address is not public',
  );
  expect(describeRefusals({ ...up(0, 0), refused: 7, refusal })).toBe(
    '7, the latest to 10.0.0.1:80, because the address is not public',
  );
  expect(describeRefusals({ ...up(0, 0), refused: 2 })).toBe('2 connections');
});

it('limits at work are sentences', () => {
  expect(describeLimits(up(0, 0))).toBe('');
  expect(describeLimits({ ...up(0, 0), limits: ['rate', 'connections'] })).toMatch(
    /^The server .*\. The con.*\.$/,
  );
});

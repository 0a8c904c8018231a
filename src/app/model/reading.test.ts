import { describe, expect, it } from 'vitest';
import type { Figures } from '../machine/messages.ts';
import { readingOf } from './reading.ts';

interface Measured {
  readonly uptime: number;
  readonly busy: number;
  readonly instructions?: number;
  readonly memory?: number;
  readonly disk?: number;
  /** Bytes from the network; half as many went there. */
  readonly received?: number;
}

function figures(measured: Measured): Figures {
  const { uptime, busy, instructions = 0, memory = 700, disk = 7, received = 0 } = measured;
  return {
    cpu: { uptime, busy, instructions },
    memory: { totalBytes: 1000, usedBytes: memory },
    disk: { totalBytes: 100, usedBytes: disk },
    network: { receivedBytes: received, sentBytes: received / 2 },
  };
}

describe('a reading', () => {
  it('is of the time since the measurement before', () => {
    const before = figures({ uptime: 4, busy: 3, instructions: 10e6, received: 1000 });
    const now = figures({ uptime: 6, busy: 3.2, instructions: 50e6, received: 5000 });
    expect(readingOf(now, before, 1)).toEqual({
      ...{ cpu: expect.closeTo(0.1), mips: 20, memory: 700, disk: 7 },
      ...{ received: 2000, sent: 1000 },
    });
  });

  it('begins with the time since the start', () => {
    const now = figures({ uptime: 4, busy: 3, instructions: 8e6, received: 1000 });
    // The network may have been in use before the container was.
    expect(readingOf(now, undefined, 1)).toMatchObject({ cpu: 0.75, mips: 2, received: 0 });
  });

  it('is of all CPUs', () => {
    const before = figures({ uptime: 1, busy: 4 });
    expect(readingOf(figures({ uptime: 2, busy: 5 }), before, 4).cpu).toBe(0.25);
    expect(readingOf(figures({ uptime: 2, busy: 4 }), before, 4).cpu).toBe(0);
  });

  it.each<[string, Measured]>([
    ['less work than before', { uptime: 2, busy: 0 }],
    ['more work than time', { uptime: 2, busy: 9 }],
    ['time that runs backwards', { uptime: 0.5, busy: 0.4 }],
    ['no time', { uptime: 1, busy: 1 }],
    ['more used memory than there is', { uptime: 2, busy: 2, memory: 5000 }],
    ['less than no used memory', { uptime: 2, busy: 2, memory: -1 }],
    ['less instructions than before', { uptime: 2, busy: 2, instructions: -5 }],
    ['less traffic than before', { uptime: 2, busy: 2, received: -9 }],
    ['more on the disk than fits', { uptime: 2, busy: 2, disk: 900 }],
  ])('stays in its range with %s', (_, measured) => {
    const reading = readingOf(figures(measured), figures({ uptime: 1, busy: 1 }), 1);
    const { cpu, mips, memory, disk, received, sent } = reading;
    expect(cpu >= 0 && cpu <= 1 && mips >= 0 && received >= 0 && sent >= 0).toBe(true);
    expect(memory >= 0 && memory <= 1000 && disk >= 0 && disk <= 100).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import type { Figures } from '../machine/messages.ts';
import { readingOf } from './reading.ts';

interface Measured {
  readonly uptime: number;
  readonly idle: number;
  readonly instructions?: number;
  readonly seconds?: number;
  readonly available?: number;
  readonly used?: number;
}

function figures(measured: Measured): Figures {
  const { uptime, idle, instructions = 0, seconds = uptime / 1000, available = 300, used = 7 } = measured;
  return {
    instructions,
    seconds,
    usage: {
      memory: { totalBytes: 1000, availableBytes: available },
      disk: { totalBytes: 100, usedBytes: used },
      cpu: { uptime, idle },
    },
  };
}

describe('a reading', () => {
  it('is of the time since the measurement before', () => {
    const before = figures({ uptime: 4000, idle: 1000, instructions: 10e6 });
    const now = figures({ uptime: 5000, idle: 1900, instructions: 30e6 });
    expect(readingOf(now, before, 1)).toEqual({ cpu: expect.closeTo(0.1), mips: 20, memory: 700, disk: 7 });
  });

  it('begins with the time since the start', () => {
    const now = figures({ uptime: 4000, idle: 1000, instructions: 8e6 });
    expect(readingOf(now, undefined, 1)).toMatchObject({ cpu: 0.75, mips: 2 });
  });

  it('is of all CPUs', () => {
    const before = figures({ uptime: 1000, idle: 0 });
    expect(readingOf(figures({ uptime: 2000, idle: 3000 }), before, 4).cpu).toBe(0.25);
    expect(readingOf(figures({ uptime: 2000, idle: 4000 }), before, 4).cpu).toBe(0);
  });

  it.each<[string, Measured]>([
    ['more idle time than time', { uptime: 2000, idle: 9000 }],
    ['time that runs backwards', { uptime: 500, idle: 100 }],
    ['no time', { uptime: 1000, idle: 0 }],
    ['more available memory than there is', { uptime: 2000, idle: 0, available: 5000 }],
    ['less instructions than before', { uptime: 2000, idle: 0, instructions: -5 }],
    ['more on the disk than fits', { uptime: 2000, idle: 0, used: 900 }],
  ])('stays in its range with %s', (_, measured) => {
    const { cpu, mips, memory, disk } = readingOf(figures(measured), figures({ uptime: 1000, idle: 0 }), 1);
    expect(cpu >= 0 && cpu <= 1 && mips >= 0).toBe(true);
    expect(memory >= 0 && memory <= 1000 && disk >= 0 && disk <= 100).toBe(true);
  });
});

import type { Figures } from '../machine/messages.ts';

/** The figures of a running machine that its user sees. */
export interface Reading {
  /** The part of the time in which its CPUs worked, from 0 to 1. */
  readonly cpu: number;
  /** Millions of instructions per second. */
  readonly mips: number;
  /** Used bytes. */
  readonly memory: number;
  readonly disk: number;
}

/**
 * Returns a reading of the time between two measurements. The figures come from the guest, which may be
 * hostile, and from clocks that are not exact, so they are brought into their ranges.
 * @param before by default the start of the machine
 */
export function readingOf(now: Figures, before: Figures | undefined, cpus: number): Reading {
  const { memory, disk, cpu } = now;
  const then = before?.cpu ?? { uptime: 0, busy: 0, instructions: 0 };
  const seconds = cpu.uptime - then.uptime;
  return {
    cpu: seconds > 0 ? within((cpu.busy - then.busy) / (seconds * cpus), 1) : 0,
    mips: seconds > 0 ? within((cpu.instructions - then.instructions) / seconds / 1e6, Infinity) : 0,
    memory: within(memory.usedBytes, memory.totalBytes),
    disk: within(disk.usedBytes, disk.totalBytes),
  };
}

function within(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

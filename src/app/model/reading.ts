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
  /** Bytes from and to the network per second. */
  readonly received: number;
  readonly sent: number;
}

/**
 * Returns a reading of the time between two measurements. The figures come from the guest, which may be
 * hostile, and from clocks that are not exact, so they are brought into their ranges.
 * @param before by default the start of the machine
 */
export function readingOf(now: Figures, before: Figures | undefined, cpus: number): Reading {
  const { memory, disk, cpu, network } = now;
  const then = before?.cpu ?? { uptime: 0, busy: 0, instructions: 0 };
  const seconds = cpu.uptime - then.uptime;
  const rate = (change: number) => (seconds > 0 ? within(change / seconds, Infinity) : 0);
  // What came before the first measurement has no time.
  const traffic = before?.network ?? network;
  return {
    cpu: seconds > 0 ? within((cpu.busy - then.busy) / (seconds * cpus), 1) : 0,
    mips: rate((cpu.instructions - then.instructions) / 1e6),
    memory: within(memory.usedBytes, memory.totalBytes),
    disk: within(disk.usedBytes, disk.totalBytes),
    received: rate(network.receivedBytes - traffic.receivedBytes),
    sent: rate(network.sentBytes - traffic.sentBytes),
  };
}

function within(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

/** The cost of one run of a workload. */
export interface Sample {
  /** Processor time of the emulator, in seconds. */
  cpu: number;
  /** Elapsed time in the guest, in seconds. */
  elapsed: number;
  /** Instructions the guest retired, if the emulator counts them. */
  instructions: number;
}

const TICKS_PER_SECOND = 10_000_000;

/** Parses the last line of a workload. @throws if it reports anything but success */
export function parseReport(name: string, output: string): Omit<Sample, 'cpu'> {
  const report = new RegExp(`^${name} ok (\\d+) (\\d+)\\s*$`, 'm').exec(output);
  if (!report) throw new Error(`workload ${name} failed: ${output.trim() || 'no output'}`);
  return { elapsed: Number(report[1]) / TICKS_PER_SECOND, instructions: Number(report[2]) };
}

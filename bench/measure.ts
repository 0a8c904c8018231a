/** Measures the same work in several ways, in turn, so that other load disturbs all of them. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stretch } from './containers.ts';
import { shareAlike } from './process.ts';
import { median } from './table.ts';

/** The pause before each run in ms, in which the system cleans up after the last one. */
const SETTLE = 300;

/** Seconds, medians. */
export interface Figures<W extends string> {
  readonly name: string;
  readonly elapsed: Readonly<Record<W, number>>;
  readonly cpu: Readonly<Record<W, number>>;
}

/**
 * @param runs each way's run
 * @param hasMarks whether the output between the marks has to be the same each time
 * @throws when it differs
 */
export async function measureInTurn<W extends string>(
  name: string,
  runs: Readonly<Record<W, () => Promise<Stretch>>>,
  rounds: number,
  hasMarks: boolean,
): Promise<Figures<W>> {
  const ways = Object.keys(runs) as W[];
  const samples = new Map(ways.map((way) => [way, [] as Stretch[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [way, stretches] of samples) {
      await sleep(SETTLE);
      stretches.push(await runs[way]());
    }
  }
  if (hasMarks) requireSameOutput(name, [...samples.values()].flat());
  const middle = (key: 'elapsed' | 'cpu') =>
    Object.fromEntries(
      [...samples].map(([way, stretches]) => [way, median(stretches.map((stretch) => stretch[key]))]),
    ) as Record<W, number>;
  return { name, elapsed: middle('elapsed'), cpu: middle('cpu') };
}

function requireSameOutput(name: string, stretches: readonly Stretch[]): void {
  const outputs = new Set(stretches.map(({ output }) => output));
  if (outputs.size > 1) throw new Error(`${name} printed different things:\n${[...outputs].join('\n')}`);
}

/** Runs a function while another process keeps a processor busy, if that is asked for. */
export async function besideOther<T>(busy: boolean, use: () => Promise<T>): Promise<T> {
  const other = busy ? spawn('sh', ['-c', 'while :; do :; done'], { detached: true }) : undefined;
  shareAlike(other?.pid);
  try {
    return await use();
  } finally {
    other?.kill('SIGKILL');
  }
}

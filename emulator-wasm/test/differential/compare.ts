/** Finds and explains the first difference between two runs of a batch. */
import { RAM_START } from '../../layout.ts';
import type { Batch, Placed } from './batch.ts';
import { decode, format } from './instructions.ts';
import { SCRATCH_BYTES } from './program.ts';
import { ROUNDS_BYTES } from './render.ts';

export interface Difference {
  readonly placed: Placed;
  /** The explanation, in readable lines. */
  readonly report: string;
}

/** A cursor over one run's trace. */
class Trace {
  readonly #view: DataView;
  #at: number;

  constructor(batch: Batch, results: Uint8Array, placed: Placed) {
    this.#view = new DataView(results.buffer, results.byteOffset, results.byteLength);
    this.#at = placed.trace - batch.results;
  }

  next(): bigint {
    const value = this.#view.getBigUint64(this.#at, true);
    this.#at += 8;
    return value;
  }
}

/** Returns the first program whose results differ, or undefined if all agree. */
export function firstDifference(batch: Batch, expected: Uint8Array, got: Uint8Array): Difference | undefined {
  if (expected.length !== got.length) throw new Error(`${expected.length} bytes against ${got.length}`);
  for (const placed of batch.programs) {
    const from = placed.scratch - batch.results;
    const to = placed.trace + placed.layout.traceBytes - batch.results;
    if (Buffer.compare(expected.subarray(from, to), got.subarray(from, to)) === 0) continue;
    const report =
      traceDifference(batch, placed, expected, got) ?? scratchDifference(batch, placed, expected, got);
    return { placed, report };
  }
  return undefined;
}

function traceDifference(
  batch: Batch,
  placed: Placed,
  expected: Uint8Array,
  got: Uint8Array,
): string | undefined {
  const { checkpoints } = placed.layout;
  const last = checkpoints.length - 1;
  const left = new Trace(batch, expected, placed);
  const right = new Trace(batch, got, placed);
  const known = new Map<string, bigint>();
  let before = -1;
  for (;;) {
    const number = Number(left.next());
    const other = Number(right.next());
    if (number !== other) return `after checkpoint ${before}: reached ${number}, the core ${other}`;
    const checkpoint = checkpoints[number];
    if (!checkpoint) throw new Error(`no checkpoint ${number} in the oracle's trace`);
    const wrong: string[] = [];
    const values = checkpoint.slots.map((slot) => {
      const value = left.next();
      const actual = right.next();
      if (value !== actual) wrong.push(`  ${slot} = ${hex(actual)}, expected ${hex(value)}`);
      return [slot, value] as const;
    });
    if (wrong.length > 0) {
      const code = listing(batch, checkpoint.from, checkpoint.to);
      return [
        `between checkpoints ${before} and ${number}:`,
        ...wrong,
        'code:',
        ...code,
        ...inputs(code, known),
      ].join('\n');
    }
    for (const [slot, value] of values) known.set(slot, value);
    if (number === last) return undefined;
    before = number;
  }
}

/** Returns the values of the code's registers before it. */
function inputs(code: readonly string[], known: ReadonlyMap<string, bigint>): string[] {
  const named = new Set(code.join(' ').match(/\b[xf]\d+\b/g));
  const lines = [...named, 'fcsr'].flatMap((name) => {
    const value = known.get(name);
    return value === undefined ? [] : [`  ${name} = ${hex(value)}`];
  });
  return ['before:', ...lines];
}

function listing({ image }: Batch, from: number, to: number): string[] {
  const view = new DataView(image.buffer);
  const lines: string[] = [];
  for (let pc = from; pc < to; ) {
    const low = view.getUint16(pc - RAM_START, true);
    const word = (low & 3) === 3 ? view.getUint32(pc - RAM_START, true) : low;
    const found = decode(word);
    const text = found ? format(found.instruction, found.operands) : 'illegal';
    lines.push(`  ${pc.toString(16)}: ${word.toString(16).padStart(8)}  ${text}`);
    pc += (low & 3) === 3 ? 4 : 2;
  }
  return lines;
}

function scratchDifference(batch: Batch, placed: Placed, expected: Uint8Array, got: Uint8Array): string {
  const from = placed.scratch - batch.results;
  const lines = ['traces agree, memory does not:'];
  const rounds = placed.rounds - batch.results;
  if (
    Buffer.compare(
      expected.subarray(rounds, rounds + ROUNDS_BYTES),
      got.subarray(rounds, rounds + ROUNDS_BYTES),
    )
  )
    return 'only the hashes of the traces of all rounds differ';
  for (let i = 0; i < SCRATCH_BYTES && lines.length < 9; i++) {
    if (expected[from + i] === got[from + i]) continue;
    const offset = i - SCRATCH_BYTES / 2 - placed.program.scratchBias;
    const pair = `0x${got[from + i]?.toString(16)}, expected 0x${expected[from + i]?.toString(16)}`;
    lines.push(
      `  byte at x${placed.program.roles.scratch} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}: ${pair}`,
    );
  }
  return lines.join('\n');
}

function hex(value: bigint): string {
  return `0x${value.toString(16).padStart(16, '0')}`;
}

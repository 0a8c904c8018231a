import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModuleWriter } from './module.ts';
import { emitStructure, findStructure, type Graph, headersOf } from './structure.ts';
import { Code, I32, type Label, wasm } from './wasm.ts';

// The function walks a graph. Each block appends its number to a list in memory, and continues at the
// successor that the next byte of a script selects. A walk ends at a block without successors, or when the
// budget is spent.
const SELECTOR = 0;
const STEP = 1;
const SCRIPT = 0;
const TRACE = 4096;
const STEPS = 200;
const I32_LOAD8_U = 0x2d;
const I32_STORE8 = 0x3a;

function compile(graph: Graph): (entry: number, script: readonly number[]) => number[] {
  const module = new ModuleWriter({ parameters: [I32, I32], results: [I32] });
  const code = new Code(2);
  const done = code.block();
  emitStructure(findStructure(graph, []), {
    code,
    selector: SELECTOR,
    emitBlock: (block, branch) => emitBlock(code, block, graph.successors[block] as number[], done, branch),
    emitBackEdge: (_, top) => {
      code.get(STEP);
      code.i32(STEPS);
      code.op(wasm.i32LtU);
      code.brIf(top);
      code.br(done);
    },
  });
  code.op(wasm.unreachable);
  code.end();
  code.get(STEP);
  module.add(code.finish());
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 0x1_0000, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { env: { memory } });
  const run = instance.exports[0] as (selector: number, step: number) => number;
  const bytes = new Uint8Array(memory.buffer);
  return (entry, script) => {
    bytes.set(script, SCRIPT);
    const steps = run(entry, 0);
    return [...bytes.slice(TRACE, TRACE + steps)];
  };
}

function emitBlock(
  code: Code,
  block: number,
  successors: readonly number[],
  done: Label,
  branch: (target: number) => void,
): void {
  code.get(STEP);
  code.i32(block);
  code.memory(I32_STORE8, TRACE);
  code.get(STEP);
  code.i32(1);
  code.op(wasm.i32Add);
  code.set(STEP);
  for (const [n, successor] of successors.slice(0, -1).entries()) {
    code.get(STEP);
    code.memory(I32_LOAD8_U, SCRIPT);
    code.i32(successors.length);
    code.op(wasm.i32RemU);
    code.i32(n);
    code.op(wasm.i32Eq);
    code.if();
    branch(successor);
    code.end();
  }
  const last = successors.at(-1);
  if (last === undefined) code.br(done);
  else branch(last);
}

/** The expected walk. It may continue a little where nothing jumps back. */
function walk(
  { successors, entries }: Graph,
  entry: number,
  script: readonly number[],
  steps: number,
): number[] {
  const trace: number[] = [];
  let block = entries[entry] as number | undefined;
  while (block !== undefined && trace.length < steps) {
    trace.push(block);
    const next: readonly number[] = successors[block] as number[];
    const choice = (script[trace.length] as number) % Math.max(next.length, 1);
    block = next[choice];
  }
  return trace;
}

/** Graphs of up to 14 blocks, all of which are reachable. */
const graphs: fc.Arbitrary<Graph> = fc
  .integer({ min: 1, max: 14 })
  .chain((size) =>
    fc.record({
      successors: fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 3 }), {
        minLength: size,
        maxLength: size,
      }),
      entries: fc.uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: 4 }),
    }),
  )
  .map(reachablePart);

function reachablePart({ successors, entries }: Graph): Graph {
  const found = new Set<number>();
  const queue = [...entries];
  for (const block of queue) {
    if (!found.has(block)) queue.push(...(successors[block] as number[]));
    found.add(block);
  }
  const numbers = new Map([...found].sort((a, b) => a - b).map((block, number) => [block, number]));
  const rename = (blocks: readonly number[]) => blocks.map((block) => numbers.get(block) as number);
  return {
    successors: [...numbers.keys()].map((block) => rename(successors[block] as number[])),
    entries: rename(entries),
  };
}

describe('structured control flow', () => {
  it('follows the graph from every entry', () => {
    const scripts = fc.array(fc.nat(255), { minLength: STEPS + 64, maxLength: STEPS + 64 });
    fc.assert(
      fc.property(graphs, scripts, (graph, script) => {
        const run = compile(graph);
        for (const entry of graph.entries.keys()) {
          const trace = run(entry, script);
          expect(trace).toEqual(walk(graph, entry, script, trace.length));
          const end = graph.successors[trace.at(-1) as number]?.length === 0;
          expect(end || trace.length >= STEPS).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('keeps a loop inside another if the latter can be entered at both', () => {
    // 0 → 1 ⇄ 1, 1 → 2 → 0 or the end: entered at 0 and at the inner loop's header.
    const structure = findStructure({ successors: [[1], [1, 2], [0, 3], []], entries: [0, 1] }, []);
    expect(headersOf(structure)).toEqual([0, 1]);
  });

  it('keeps the loop around a switch of twelve cases', () => {
    // 0 → 1 → each case → 1, but the last → 0: entered at 0 and at the switch.
    const cases = Array.from({ length: 12 }, (_, n) => n + 2);
    const back = cases.map((_, n) => [n === 11 ? 0 : 1]);
    const structure = findStructure({ successors: [[1], cases, ...back], entries: [0, 1] }, []);
    expect(headersOf(structure)).toEqual([0, 1]);
  });

  it('has no deep loops where blocks lead to each other', () => {
    const count = 60;
    const all = Array.from({ length: count }, (_, block) => block);
    const hub = 20;
    // As stubs that jump by one switch, and as blocks that all lead to all.
    for (const [successors, deepest] of [
      [all.map((block) => (block === hub ? all : [hub])), 1],
      [all.map(() => all), 8],
    ] as const) {
      const depths: number[] = [];
      findStructure({ successors, entries: all }, depths);
      expect(Math.max(...depths)).toBe(deepest);
    }
  });

  it('follows a graph whose blocks all lead to all', () => {
    const all = Array.from({ length: 14 }, (_, block) => block);
    const graph = { successors: all.map(() => all), entries: all };
    const run = compile(graph);
    const script = Array.from({ length: STEPS + 64 }, (_, step) => (step * step * 31 + 7 * step) % 256);
    for (const entry of all) {
      const trace = run(entry, script);
      expect(trace).toEqual(walk(graph, entry, script, trace.length));
      expect(trace.length).toBeGreaterThanOrEqual(STEPS);
    }
  });

  it('counts the loops around each block', () => {
    const depths: number[] = [];
    findStructure({ successors: [[1], [1, 2], [0, 3], []], entries: [0] }, depths);
    expect(depths).toEqual([1, 2, 1, 0]);
  });
});

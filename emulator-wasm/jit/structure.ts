/**
 * Structured control flow for WebAssembly. Strongly connected components become loops, in topological order.
 * Each follows the ends of the blocks through which earlier code branches to it. A loop has one header, to
 * which its jumps back go. If it can also be entered elsewhere, it begins with a switch on `selector`, and so
 * does the whole function if it has several entries. The switch does not slow down inner loops.
 */
import { type Code, type Label, wasm } from './wasm.ts';

/** For up to this many targets, consecutive comparisons are faster than a table. */
const MAX_COMPARISONS = 4;

export interface Graph {
  /** The successors of each block, by its number. */
  readonly successors: readonly (readonly number[])[];
  /** Blocks that can be entered from outside, in the order of the selector's values. */
  readonly entries: readonly number[];
}

/** The code that the structure arranges. */
export interface Emitter {
  readonly code: Code;
  /** A local that holds the number of the entry, at the start and before a branch to a switch. */
  readonly selector: number;
  /** Writes a block, which ends with `branch` to successors or otherwise. */
  emitBlock(block: number, branch: (target: number) => void): void;
  /** Jumps back to `block`, at `top`, unless something else must be done first. */
  emitBackEdge(block: number, top: Label): void;
}

interface Target {
  readonly label: Label;
  readonly switched: boolean;
  readonly back: boolean;
}

/** Blocks and loops in topological order, entered at `entries`. */
export interface Sequence {
  readonly entries: readonly number[];
  readonly items: readonly Item[];
}

/** A block, or a loop with those of its blocks to which earlier code branches. */
interface Item {
  readonly heads: readonly number[];
  readonly block: number | undefined;
  readonly loop: Loop | undefined;
}

/** The headers of all loops. */
export function headersOf({ items }: Sequence): number[] {
  return items.flatMap(({ loop }) => (loop ? [loop.header, ...headersOf(loop.body)] : []));
}

/** The blocks of each of the outermost loops that contain no `excluded` block. */
export function loopsOf({ items }: Sequence, excluded: (block: number) => boolean): number[][] {
  return items.flatMap(({ loop }) => {
    if (!loop) return [];
    const blocks = blocksOf(loop.body);
    return blocks.some(excluded) ? loopsOf(loop.body, excluded) : [blocks];
  });
}

function blocksOf({ items }: Sequence): number[] {
  return items.flatMap(({ block, loop }) => (loop ? blocksOf(loop.body) : (block as number)));
}

interface Loop {
  /** The target of jumps back. */
  readonly header: number;
  readonly body: Sequence;
}

/** @param depths receives the number of loops around each block */
export function findStructure(graph: Graph, depths: number[]): Sequence {
  const all = graph.successors.map((_, block) => block);
  return new Finder(graph, depths).sequence(all, graph.entries, new Set(), 0);
}

class Finder {
  readonly #graph: Graph;
  readonly #depths: number[];

  constructor(graph: Graph, depths: number[]) {
    this.#graph = graph;
    this.#depths = depths;
  }

  /** @param cut headers of the enclosing loops, to which edges lead out */
  sequence(
    blocks: readonly number[],
    entries: readonly number[],
    cut: ReadonlySet<number>,
    depth: number,
  ): Sequence {
    const heads = new Set(entries);
    const components = this.#components(blocks, cut);
    const items: Item[] = [];
    for (const component of components) {
      items.push(
        this.#item(
          component,
          component.filter((block) => heads.has(block)),
          cut,
          depth,
        ),
      );
      const inside = new Set(component);
      for (const block of component) {
        for (const next of this.#next(block, cut)) if (!inside.has(next)) heads.add(next);
      }
    }
    return { entries, items };
  }

  #item(blocks: readonly number[], heads: readonly number[], cut: ReadonlySet<number>, depth: number): Item {
    const first = blocks[0] as number;
    if (blocks.length === 1 && !this.#next(first, cut).includes(first)) {
      this.#depths[first] = depth;
      return { heads, block: first, loop: undefined };
    }
    const header = heads.length === 1 ? (heads[0] as number) : this.#header(blocks, cut);
    const entries = heads.includes(header) ? heads : [header, ...heads];
    const body = this.sequence(blocks, entries, new Set([...cut, header]), depth + 1);
    return { heads, block: undefined, loop: { header, body } };
  }

  #next(block: number, cut: ReadonlySet<number>): number[] {
    return (this.#graph.successors[block] as readonly number[]).filter((next) => !cut.has(next));
  }

  /** The target of the longest jump back, which belongs to the outermost loop. */
  #header(blocks: readonly number[], cut: ReadonlySet<number>): number {
    const inside = new Set(blocks);
    let header = blocks[0] as number;
    let widest = -1;
    for (const from of blocks) {
      for (const target of this.#next(from, cut)) {
        if (from - target <= widest || !inside.has(target)) continue;
        widest = from - target;
        header = target;
      }
    }
    return header;
  }

  /** Strongly connected components in topological order, without the cut edges (Tarjan). */
  #components(blocks: readonly number[], cut: ReadonlySet<number>): number[][] {
    const members = new Set(blocks);
    const index = new Map<number, number>();
    const stack: number[] = [];
    const stacked = new Set<number>();
    const found: number[][] = [];
    const visit = (block: number): number => {
      const number = index.size;
      index.set(block, number);
      let least = number;
      stack.push(block);
      stacked.add(block);
      for (const next of this.#next(block, cut)) {
        if (!members.has(next)) continue;
        if (!index.has(next)) least = Math.min(least, visit(next));
        else if (stacked.has(next)) least = Math.min(least, index.get(next) as number);
      }
      if (least === number) found.push(popComponent(block, stack, stacked));
      return least;
    };
    for (const block of blocks) if (!index.has(block)) visit(block);
    return found.reverse();
  }
}

function popComponent(last: number, stack: number[], stacked: Set<number>): number[] {
  const component: number[] = [];
  let block: number;
  do {
    block = stack.pop() as number;
    stacked.delete(block);
    component.push(block);
  } while (block !== last);
  return component.sort((a, b) => a - b);
}

/** Writes all blocks. */
export function emitStructure(structure: Sequence, emitter: Emitter): void {
  new Arranger(structure, emitter).sequence(structure);
}

class Arranger {
  readonly #emitter: Emitter;
  readonly #targets: (Target | undefined)[] = [];
  /** The selector's value for each block that a switch can select. */
  readonly #numbers = new Map<number, number>();
  readonly #branch = (target: number) => this.branch(target);

  constructor(structure: Sequence, emitter: Emitter) {
    this.#emitter = emitter;
    for (const entry of structure.entries) this.#number(entry);
  }

  /** @param header the header of the loop whose body this is */
  sequence({ entries, items }: Sequence, header?: number): void {
    const { code } = this.#emitter;
    const back = header === undefined ? undefined : this.#targets[header];
    const labels = items.map(() => code.block()).reverse();
    for (const [n, { heads }] of items.entries()) {
      const target = { label: labels[n] as Label, switched: heads.length > 1, back: false };
      for (const head of heads) this.#targets[head] = target;
    }
    if (entries.length > 1) this.#switch(entries);
    if (header !== undefined) this.#targets[header] = back;
    for (const item of items) {
      code.end();
      if (item.loop) this.#loop(item.loop);
      else this.#emitter.emitBlock(item.block as number, this.#branch);
    }
  }

  branch(target: number): void {
    const { code, selector } = this.#emitter;
    const { label, switched, back } = this.#targets[target] as Target;
    if (switched) {
      code.i32(this.#number(target));
      code.set(selector);
    }
    if (back) this.#emitter.emitBackEdge(target, label);
    else code.br(label);
  }

  #loop({ header, body }: Loop): void {
    const { code } = this.#emitter;
    const label = code.loop();
    this.#targets[header] = { label, switched: body.entries.length > 1, back: true };
    this.sequence(body, header);
    code.end();
  }

  #switch(blocks: readonly number[]): void {
    const { code, selector } = this.#emitter;
    if (blocks.length <= MAX_COMPARISONS) {
      for (const block of blocks.slice(1)) {
        code.get(selector);
        code.i32(this.#number(block));
        code.op(wasm.i32Eq);
        code.brIf((this.#targets[block] as Target).label);
      }
      code.br((this.#targets[blocks[0] as number] as Target).label);
      return;
    }
    const labels: Label[] = [];
    const first = (this.#targets[blocks[0] as number] as Target).label;
    for (const block of blocks) labels[this.#number(block)] = (this.#targets[block] as Target).label;
    code.get(selector);
    code.brTable(
      Array.from(labels, (label) => label ?? first),
      first,
    );
  }

  #number(block: number): number {
    const known = this.#numbers.get(block);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(block, number);
    return number;
  }
}

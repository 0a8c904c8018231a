/**
 * Structured control flow for WebAssembly. Strongly connected components become loops, in topological order.
 * Each follows the ends of the blocks through which earlier code branches to it. A loop has one header, to
 * which its jumps back go. If it can also be entered elsewhere, it begins with a switch on `selector`, and so
 * does the whole function if it has several entries. The switch does not slow down inner loops. A loop deep
 * inside others has as many headers as it needs to have no loop inside.
 */
import { type Code, type Label, wasm } from './wasm.ts';

/** For up to this many targets, consecutive comparisons are faster than a table. */
const MAX_COMPARISONS = 4;
/** With more edges than this to it, a block is the header of its loop. */
const MAX_EDGES = 16;
/**
 * The loops around a block, at most. WebKit takes each for ten times as frequent as the one around it. Beyond
 * 38 that is infinite in its single precision, its register allocator gives up, and the tab crashes.
 */
const MAX_DEPTH = 8;

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
  return items.flatMap(({ loop }) => (loop ? [...loop.headers, ...headersOf(loop.body)] : []));
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
  /** The targets of jumps back. */
  readonly headers: readonly number[];
  readonly body: Sequence;
}

/** @param depths receives the number of loops around each block */
export function findStructure(graph: Graph, depths: number[]): Sequence {
  const all = graph.successors.map((_, block) => block);
  return new Finder(graph, depths).sequence(all, graph.entries, 0);
}

/**
 * Loops over arrays have indices here and in the other hot parts of the translator: with iterators, V8 takes
 * several times as long to interpret and to optimise them.
 */
class Finder {
  readonly #successors: Graph['successors'];
  readonly #depths: number[];
  /** Whether the block is the header of an enclosing loop, to which edges lead out. */
  readonly #isCut: Uint8Array;
  /** The number of the sequence that has the block, as far as is known. */
  readonly #sequence: Int32Array;
  /** The number of the sequence in which earlier code branches to the block. */
  readonly #headOf: Int32Array;
  /** The number of the visit of the block. */
  readonly #visited: Int32Array;
  readonly #component: Int32Array;
  /** While a header is searched, the edges to each block that have been found. */
  readonly #edges: Int32Array;
  readonly #stack: number[] = [];
  readonly #isOnStack: Uint8Array;
  #sequences = 0;
  #visits = 0;
  #components = 0;

  constructor({ successors }: Graph, depths: number[]) {
    const { length } = successors;
    this.#successors = successors;
    this.#depths = depths;
    this.#isCut = new Uint8Array(length);
    this.#sequence = new Int32Array(length);
    this.#headOf = new Int32Array(length);
    this.#visited = new Int32Array(length);
    this.#component = new Int32Array(length);
    this.#edges = new Int32Array(length);
    this.#isOnStack = new Uint8Array(length);
  }

  sequence(blocks: readonly number[], entries: readonly number[], depth: number): Sequence {
    const components = this.#findComponents(blocks);
    const heads = this.#findHeads(components, entries);
    const items = components.map((component, n) => this.#item(component, heads[n] as number[], depth));
    return { entries, items };
  }

  /** The blocks of each component to which earlier code branches. */
  #findHeads(components: readonly (readonly number[])[], entries: readonly number[]): number[][] {
    const sequence = this.#sequences;
    for (let n = 0; n < entries.length; n++) this.#headOf[entries[n] as number] = sequence;
    for (let n = 0; n < components.length; n++) {
      const component = components[n] as readonly number[];
      for (let m = 0; m < component.length; m++) this.#markHeads(component[m] as number, sequence);
    }
    return components.map((component) => component.filter((block) => this.#headOf[block] === sequence));
  }

  /** Marks the blocks of other components to which a block leads. */
  #markHeads(block: number, sequence: number): void {
    const successors = this.#successors[block] as readonly number[];
    for (let n = 0; n < successors.length; n++) {
      const next = successors[n] as number;
      if (this.#isCut[next] === 0 && this.#component[next] !== this.#component[block])
        this.#headOf[next] = sequence;
    }
  }

  #item(blocks: readonly number[], heads: readonly number[], depth: number): Item {
    const first = blocks[0] as number;
    if (blocks.length === 1 && !this.#leadsTo(first, first)) {
      this.#depths[first] = depth;
      return { heads, block: first, loop: undefined };
    }
    const headers = this.#headers(blocks, heads, depth + 1);
    const entries = [...headers.filter((header) => !heads.includes(header)), ...heads];
    for (const header of headers) this.#isCut[header] = 1;
    const body = this.sequence(blocks, entries, depth + 1);
    for (const header of headers) this.#isCut[header] = 0;
    return { heads, block: undefined, loop: { headers, body } };
  }

  #headers(blocks: readonly number[], heads: readonly number[], depth: number): readonly number[] {
    if (depth === MAX_DEPTH) return this.#targetsOfJumpsBack(blocks);
    return heads.length === 1 ? heads : [this.#header(blocks)];
  }

  #leadsTo(block: number, next: number): boolean {
    return this.#isCut[next] === 0 && (this.#successors[block] as readonly number[]).includes(next);
  }

  /**
   * The target of the longest jump back, which belongs to the outermost loop, unless many edges lead to one
   * block, such as the switch of all jumps by table. Around that, each of its targets would be a loop in the
   * loop of another.
   */
  #header(blocks: readonly number[]): number {
    let header = blocks[0] as number;
    let widest = -1;
    let most = MAX_EDGES;
    this.#forEdges(blocks, (from, target) => {
      const edges = (this.#edges[target] as number) + 1;
      this.#edges[target] = edges;
      if (edges > most || (most === MAX_EDGES && from - target > widest)) header = target;
      most = Math.max(most, edges);
      widest = Math.max(widest, from - target);
    });
    for (let n = 0; n < blocks.length; n++) this.#edges[blocks[n] as number] = 0;
    return header;
  }

  /** Without the edges to these, all lead forwards. */
  #targetsOfJumpsBack(blocks: readonly number[]): number[] {
    const targets = new Set<number>();
    this.#forEdges(blocks, (from, target) => {
      if (target <= from) targets.add(target);
    });
    return [...targets];
  }

  /** Passes the edges inside a component. */
  #forEdges(blocks: readonly number[], pass: (from: number, target: number) => void): void {
    const component = this.#component[blocks[0] as number];
    for (let n = 0; n < blocks.length; n++) {
      const from = blocks[n] as number;
      const successors = this.#successors[from] as readonly number[];
      for (let m = 0; m < successors.length; m++) {
        const target = successors[m] as number;
        if (this.#isCut[target] === 0 && this.#component[target] === component) pass(from, target);
      }
    }
  }

  /** Strongly connected components in topological order, without the cut edges (Tarjan). */
  #findComponents(blocks: readonly number[]): number[][] {
    const sequence = ++this.#sequences;
    const before = this.#visits;
    const found: number[][] = [];
    for (let n = 0; n < blocks.length; n++) this.#sequence[blocks[n] as number] = sequence;
    for (let n = 0; n < blocks.length; n++) {
      const block = blocks[n] as number;
      if ((this.#visited[block] as number) <= before) this.#visit(block, before, found);
    }
    return found.reverse();
  }

  /** @param before the number of visits before those of this sequence */
  #visit(block: number, before: number, found: number[][]): number {
    const number = ++this.#visits;
    const successors = this.#successors[block] as readonly number[];
    let least = number;
    this.#visited[block] = number;
    this.#stack.push(block);
    this.#isOnStack[block] = 1;
    for (let n = 0; n < successors.length; n++) {
      const next = successors[n] as number;
      if (this.#isCut[next] !== 0 || this.#sequence[next] !== this.#sequence[block]) continue;
      const visited = this.#visited[next] as number;
      if (visited <= before) least = Math.min(least, this.#visit(next, before, found));
      else if (this.#isOnStack[next] !== 0) least = Math.min(least, visited);
    }
    if (least === number) found.push(this.#popComponent(block));
    return least;
  }

  #popComponent(last: number): number[] {
    const component: number[] = [];
    const number = ++this.#components;
    let block: number;
    do {
      block = this.#stack.pop() as number;
      this.#isOnStack[block] = 0;
      this.#component[block] = number;
      component.push(block);
    } while (block !== last);
    return component.sort((a, b) => a - b);
  }
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

  /** @param headers those of the loop whose body this is */
  sequence({ entries, items }: Sequence, headers: readonly number[] = []): void {
    const { code } = this.#emitter;
    const back = headers.map((header) => this.#targets[header]);
    const labels = items.map(() => code.block());
    for (let n = 0; n < items.length; n++) {
      const { heads } = items[n] as Item;
      const label = labels[items.length - 1 - n] as Label;
      const target = { label, switched: heads.length > 1, back: false };
      for (let m = 0; m < heads.length; m++) this.#targets[heads[m] as number] = target;
    }
    if (entries.length > 1) this.#switch(entries);
    for (let n = 0; n < headers.length; n++) this.#targets[headers[n] as number] = back[n];
    for (let n = 0; n < items.length; n++) {
      const { block, loop } = items[n] as Item;
      code.end();
      if (loop) this.#loop(loop);
      else this.#emitter.emitBlock(block as number, this.#branch);
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

  #loop({ headers, body }: Loop): void {
    const { code } = this.#emitter;
    const target = { label: code.loop(), switched: body.entries.length > 1, back: true };
    for (let n = 0; n < headers.length; n++) this.#targets[headers[n] as number] = target;
    this.sequence(body, headers);
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

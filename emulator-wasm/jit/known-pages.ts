/** The pages that a translator knows from profiles, and the table by which harts recognise them. */
import { KNOWN_SLOTS, KNOWN_TABLE, M_KNOWN_PAGES, MOST_KNOWN_PAGES } from '../layout.ts';
import type { KnownRegion } from './profile.ts';

/** How often code of a page may be asked for that no region has. */
const MOST_MISSES = 32;
/** A guest can copy a known page as often as it likes. */
const MOST_STATES = 4096;

/** Of a page in memory. */
interface PageState {
  /** The regions that were not taken. */
  readonly left: KnownRegion[];
  misses: number;
}

export class KnownPages {
  readonly #words: Int32Array;
  readonly #regions = new Map<bigint, KnownRegion[]>();
  readonly #states = new Map<string, PageState>();

  constructor(memory: WebAssembly.Memory) {
    this.#words = new Int32Array(memory.buffer);
  }

  /** Adds regions, as far as the table has room for their pages. */
  add(regions: Iterable<KnownRegion>): void {
    for (const region of regions) {
      const digest = (region.pages[0] as KnownRegion['pages'][0]).digest;
      const others = this.#regions.get(digest);
      if (others) addNew(others, region);
      else if (this.#regions.size < MOST_KNOWN_PAGES) {
        this.#regions.set(digest, [region]);
        this.#enter(digest);
      }
    }
    // Last, because harts look again for pages that they have not found when it changes.
    Atomics.store(this.#words, M_KNOWN_PAGES >> 2, this.#regions.size);
  }

  /** Takes a region that has code at the offset, if one is left. */
  take(page: bigint, digest: bigint, offset: number): KnownRegion | undefined {
    const state = this.#stateOf(page, digest);
    const { left } = state;
    const exact = left.findIndex(({ hot }) => hot === offset);
    const at = exact < 0 ? left.findIndex(({ pages }) => pages[0]?.executed.includes(offset)) : exact;
    if (at >= 0) return left.splice(at, 1)[0];
    state.misses++;
    return undefined;
  }

  /** Whether it is not worth the time to ask for more of the page's regions. */
  isDone(page: bigint, digest: bigint): boolean {
    const { left, misses } = this.#stateOf(page, digest);
    return left.length === 0 || misses >= MOST_MISSES;
  }

  /** Regions that were taken may be taken again. */
  restore(): void {
    this.#states.clear();
  }

  #stateOf(page: bigint, digest: bigint): PageState {
    const key = `${page} ${digest}`;
    const known = this.#states.get(key);
    if (known) return known;
    if (this.#states.size === MOST_STATES) this.#states.clear();
    const state = { left: [...(this.#regions.get(digest) ?? [])], misses: 0 };
    this.#states.set(key, state);
    return state;
  }

  #enter(digest: bigint): void {
    const tag = Math.max(Number(digest >> 32n), 1);
    let slot = Number(digest & BigInt(KNOWN_SLOTS - 1));
    const at = () => (KNOWN_TABLE >> 2) + slot;
    while (Atomics.load(this.#words, at()) !== 0) slot = (slot + 1) % KNOWN_SLOTS;
    Atomics.store(this.#words, at(), tag);
  }
}

/** Several profiles may have the same region. */
function addNew(regions: KnownRegion[], region: KnownRegion): void {
  if (!regions.some(({ hot }) => hot === region.hot)) regions.push(region);
}

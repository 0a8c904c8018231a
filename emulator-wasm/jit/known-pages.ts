/** The pages that a translator knows from profiles, and the table by which harts recognise them. */
import { KNOWN_SLOTS, KNOWN_TABLE, M_KNOWN_PAGES, MOST_KNOWN_PAGES } from '../layout.ts';
import type { KnownRegion } from './profile.ts';

export class KnownPages {
  readonly #words: Int32Array;
  readonly #regions = new Map<bigint, KnownRegion[]>();
  /** Those that are left of pages of which some were taken. */
  readonly #left = new Map<string, KnownRegion[]>();

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

  /** Whether regions of a page with this digest are left that were not taken. */
  hasMore(page: bigint, digest: bigint): boolean {
    return this.#leftOf(page, digest).length > 0;
  }

  /** Takes a region that has code at the offset, if one is left. */
  take(page: bigint, digest: bigint, offset: number): KnownRegion | undefined {
    const left = this.#leftOf(page, digest);
    const exact = left.findIndex(({ hot }) => hot === offset);
    const at = exact < 0 ? left.findIndex(({ pages }) => pages[0]?.executed.includes(offset)) : exact;
    return at < 0 ? undefined : left.splice(at, 1)[0];
  }

  #leftOf(page: bigint, digest: bigint): KnownRegion[] {
    const key = `${page} ${digest}`;
    const left = this.#left.get(key) ?? [...(this.#regions.get(digest) ?? [])];
    this.#left.set(key, left);
    return left;
  }

  /** Regions that were taken may be taken again. */
  restore(): void {
    this.#left.clear();
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

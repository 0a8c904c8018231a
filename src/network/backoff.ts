/** Pauses between attempts, in ms. The last one repeats. */
export class Backoff {
  readonly #pauses: readonly number[];
  #attempts = 0;

  constructor(pauses: readonly number[]) {
    this.#pauses = pauses;
  }

  /** Whether the last pause has been repeated. */
  get isRepeating(): boolean {
    return this.#attempts > this.#pauses.length;
  }

  /** The pause after another attempt. */
  next(): number {
    const index = Math.min(this.#attempts, this.#pauses.length - 1);
    this.#attempts++;
    return this.#pauses[index] as number;
  }

  reset(): void {
    this.#attempts = 0;
  }
}

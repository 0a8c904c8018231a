import type { PullEvent } from '../api/browser.ts';

/** How far the start of a container is. */
export interface Progress {
  readonly text: string;
  /** From 0 to 1, if it can be told. */
  readonly share?: number | undefined;
}

/** Follows the start of a container, in which the image is pulled while the machine boots. */
export class StartProgress {
  readonly #layers = new Map<string, { size: number; received: number }>();
  #retry = '';
  #isPulled = false;
  #isBooted = false;

  pull(event: PullEvent): void {
    if (event.type !== 'retry') this.#retry = '';
    switch (event.type) {
      case 'resolved':
        for (const { diffId, size, cached } of event.layers)
          this.#layers.set(diffId, { size, received: cached ? size : 0 });
        break;
      case 'progress':
        this.#receive(event.diffId, event.received);
        break;
      case 'stored':
        this.#receive(event.diffId, Number.POSITIVE_INFINITY);
        break;
      case 'retry':
        this.#retry = event.reason;
    }
    const layers = [...this.#layers.values()];
    this.#isPulled = layers.length > 0 && layers.every(({ size, received }) => received >= size);
  }

  boot(): void {
    this.#isBooted = true;
  }

  get current(): Progress {
    if (this.#retry !== '') return { text: `Trying again: ${this.#retry}` };
    if (this.#layers.size === 0) return { text: 'Looking for the image' };
    if (!this.#isPulled) return { text: 'Downloading the image', share: this.#share };
    return { text: this.#isBooted ? 'Starting the program' : 'Starting Linux' };
  }

  get #share(): number {
    const layers = [...this.#layers.values()];
    const total = layers.reduce((sum, { size }) => sum + size, 0);
    return layers.reduce((sum, { size, received }) => sum + Math.min(received, size), 0) / total;
  }

  #receive(diffId: string, received: number): void {
    const layer = this.#layers.get(diffId);
    if (layer) layer.received = received;
  }
}

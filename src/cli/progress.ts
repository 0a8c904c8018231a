import type { WriteStream } from 'node:tty';
import type { PullEvent } from '../api/public.ts';

const MIB = 2 ** 20;
const BAR_WIDTH = 24;
/** Time between two updates of the bars, in ms. */
const INTERVAL = 100;
const SHORT_ID = 12;

interface Layer {
  readonly name: string;
  readonly size: number;
  received: number;
  state: 'waiting' | 'coming' | 'cached' | 'stored';
}

/**
 * Shows the progress of a pull: a bar for each layer on a terminal, otherwise a line for each step. Silent
 * when everything is cached.
 */
export class PullProgress {
  readonly #reference: string;
  readonly #output: WriteStream;
  readonly #layers = new Map<string, Layer>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The number of lines of the bars on the screen. */
  #painted = 0;

  constructor(reference: string, output: WriteStream) {
    this.#reference = reference;
    this.#output = output;
  }

  show(event: PullEvent): void {
    switch (event.type) {
      case 'resolved':
        this.#begin(event.layers);
        break;
      case 'progress':
        this.#update(event.diffId, { state: 'coming', received: event.received });
        break;
      case 'stored':
        this.#update(event.diffId, { state: 'stored' });
        this.#stored(event.diffId);
        break;
      case 'retry':
        this.#say(`${event.reason}: trying again in ${(event.delay / 1000).toFixed(1)} s`);
        break;
      case 'built-in':
        this.#say(`${event.reason}: using the image that comes with LinuxRun`);
    }
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#painted > 0) this.#paint();
    this.#painted = 0;
  }

  #begin(layers: Extract<PullEvent, { type: 'resolved' }>['layers']): void {
    for (const { diffId, size, cached } of layers) {
      const name = diffId.slice(diffId.indexOf(':') + 1).slice(0, SHORT_ID);
      this.#layers.set(diffId, { name, size, received: 0, state: cached ? 'cached' : 'waiting' });
    }
    const missing = layers.filter(({ cached }) => !cached);
    if (missing.length === 0) return;
    const bytes = missing.reduce((sum, { size }) => sum + size, 0);
    this.#say(`pulling ${this.#reference}: ${count(missing.length, 'layer')}, ${mib(bytes)}`);
    if (!this.#output.isTTY) return;
    this.#paint();
    this.#timer = setInterval(() => this.#paint(), INTERVAL);
  }

  #update(diffId: string, change: Partial<Layer>): void {
    const layer = this.#layers.get(diffId);
    if (layer) Object.assign(layer, change);
  }

  #stored(diffId: string): void {
    const layer = this.#layers.get(diffId);
    if (layer && !this.#output.isTTY) this.#say(`layer ${layer.name} is stored, ${mib(layer.size)}`);
  }

  #say(line: string): void {
    this.#erase();
    this.#output.write(`${line}\n`);
    if (this.#timer) this.#paint();
  }

  #erase(): void {
    if (this.#painted > 0) this.#output.write(`\x1b[${this.#painted}A\x1b[J`);
    this.#painted = 0;
  }

  #paint(): void {
    const lines = [...this.#layers.values()]
      .map(describe)
      .slice(0, Math.max(1, (this.#output.rows ?? 24) - 2));
    this.#erase();
    this.#output.write(lines.map((line) => `${line.slice(0, this.#output.columns - 1)}\n`).join(''));
    this.#painted = lines.length;
  }
}

function describe({ name, size, received, state }: Layer): string {
  const done = state === 'stored' || state === 'cached' || size === 0 ? 1 : received / size;
  const filled = Math.round(done * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  const note = state === 'coming' ? `${mib(received)} of ${mib(size)}` : `${mib(size)} ${state}`;
  return `  ${name} ${bar} ${note}`;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

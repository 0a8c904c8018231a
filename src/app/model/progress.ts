import type { SessionEvent } from '../machine/messages.ts';

export type StepName = 'resolve' | 'download' | 'boot' | 'start';

export interface Step {
  /** Times on the page's clock, in ms. Both are undefined while the step waits for another. */
  readonly began?: number | undefined;
  readonly ended?: number | undefined;
}

export interface Layer {
  readonly diffId: string;
  /** Bytes to download. */
  readonly size: number;
  readonly received: number;
  readonly state: 'waiting' | 'coming' | 'cached' | 'verified';
  /** Bytes per second, smoothed. */
  readonly rate: number;
  /** The time of the last change of `received`. */
  readonly at: number;
}

/** The progress of a session's start. */
export interface Progress {
  readonly began: number;
  readonly steps: Readonly<Record<StepName, Step>>;
  readonly layers: readonly Layer[];
  /** The reason for a retry, until it succeeds. */
  readonly retry?: string | undefined;
}

/** The weight of the latest measurement in a rate. */
const SMOOTHING = 0.3;

/**
 * @param now the time in ms; the kernel boots while the image is found and fetched
 * @param retry why the start before it was given up
 */
export function beginProgress(now: number, retry?: string): Progress {
  return {
    began: now,
    steps: { resolve: { began: now }, download: {}, boot: { began: now }, start: {} },
    layers: [],
    retry,
  };
}

export function advance(progress: Progress, event: SessionEvent, now: number): Progress {
  switch (event.type) {
    case 'resolved': {
      const layers = event.layers.map(
        ({ diffId, size, cached }): Layer => ({
          ...{ diffId, size, rate: 0, at: now },
          received: cached ? size : 0,
          state: cached ? 'cached' : 'waiting',
        }),
      );
      return mark({ ...progress, layers, retry: undefined }, now, {
        ends: ['resolve'],
        begins: ['download'],
      });
    }
    case 'progress': {
      const { diffId, received } = event;
      return { ...change(progress, diffId, (layer) => receive(layer, received, now)), retry: undefined };
    }
    case 'stored':
      return change(progress, event.diffId, (layer) => ({
        ...layer,
        received: layer.size,
        state: 'verified',
      }));
    case 'retry':
      return { ...progress, retry: event.reason };
    case 'image-ready':
      return startIfReady(
        mark({ ...progress, retry: undefined }, now, { ends: ['resolve', 'download'] }),
        now,
      );
    case 'booted':
      return startIfReady(mark(progress, now, { ends: ['boot'] }), now);
    case 'started':
      return mark(progress, now, { ends: ['resolve', 'download', 'boot', 'start'] });
    default:
      return progress;
  }
}

/**
 * Returns how long a step took or has taken so far, in ms, or undefined before its start.
 * @param now may be earlier than the start, because the page's clock advances from time to time only
 */
export function duration({ began, ended }: Step, now: number): number | undefined {
  return began === undefined ? undefined : Math.max((ended ?? now) - began, 0);
}

interface Marks {
  readonly begins?: readonly StepName[];
  readonly ends?: readonly StepName[];
}

/** Changes a step. Its past stays unchanged, and a step that ends has also begun. */
function mark(progress: Progress, now: number, { begins = [], ends = [] }: Marks): Progress {
  const steps = { ...progress.steps };
  for (const name of [...begins, ...ends]) steps[name] = { ...steps[name], began: steps[name].began ?? now };
  for (const name of ends) steps[name] = { ...steps[name], ended: steps[name].ended ?? now };
  return { ...progress, steps };
}

function startIfReady(progress: Progress, now: number): Progress {
  const { download, boot } = progress.steps;
  const isReady = download.ended !== undefined && boot.ended !== undefined;
  return isReady ? mark(progress, now, { begins: ['start'] }) : progress;
}

function change(progress: Progress, diffId: string, update: (layer: Layer) => Layer): Progress {
  const layers = progress.layers.map((layer) => (layer.diffId === diffId ? update(layer) : layer));
  return { ...progress, layers };
}

function receive(layer: Layer, received: number, now: number): Layer {
  const seconds = (now - layer.at) / 1000;
  if (layer.state === 'waiting' || seconds <= 0) return { ...layer, received, state: 'coming', at: now };
  const latest = (received - layer.received) / seconds;
  const rate = layer.rate === 0 ? latest : layer.rate + (latest - layer.rate) * SMOOTHING;
  return { ...layer, received, rate, at: now };
}

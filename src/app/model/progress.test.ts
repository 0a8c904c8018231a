import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../machine/messages.ts';
import { advance, beginProgress, duration, type Progress } from './progress.ts';

const A = 'sha256:aa';
const B = 'sha256:bb';
const RESOLVED: SessionEvent = {
  type: 'resolved',
  digest: 'sha256:cc',
  layers: [
    { diffId: A, size: 1000, cached: false },
    { diffId: B, size: 500, cached: true },
  ],
};
const received = (bytes: number): SessionEvent => ({
  type: 'progress',
  diffId: A,
  received: bytes,
  stored: 0,
});

function play(...events: (readonly [number, SessionEvent])[]): Progress {
  return events.reduce((progress, [at, event]) => advance(progress, event, at), beginProgress(0));
}

describe('progress', () => {
  it('boots the kernel while the image is found', () => {
    const { steps } = beginProgress(7);
    expect(steps).toEqual({ resolve: { began: 7 }, download: {}, boot: { began: 7 }, start: {} });
    expect(duration(steps.boot, 10)).toBe(3);
    expect(duration(steps.start, 10)).toBeUndefined();
    expect(duration(steps.boot, 3)).toBe(0);
  });

  it('advances from step to step', () => {
    const progress = play(
      [10, RESOLVED],
      [20, { type: 'booted' }],
      [30, { type: 'image-ready' }],
      [40, { type: 'started' }],
    );
    expect(progress.steps).toEqual({
      resolve: { began: 0, ended: 10 },
      download: { began: 10, ended: 30 },
      boot: { began: 0, ended: 20 },
      start: { began: 30, ended: 40 },
    });
  });

  it('starts the program when both kernel and image are ready', () => {
    const progress = play([10, { type: 'image-ready' }], [50, { type: 'booted' }]);
    expect(progress.steps.start).toEqual({ began: 50 });
    expect(progress.steps.download).toEqual({ began: 10, ended: 10 });
  });

  it('does not end twice', () => {
    const once = play([10, { type: 'image-ready' }], [50, { type: 'booted' }], [60, { type: 'started' }]);
    expect(advance(once, { type: 'started' }, 99)).toEqual(once);
  });

  it('follows layers', () => {
    const states = (progress: Progress) => progress.layers.map(({ state }) => state);
    expect(states(play([1, RESOLVED]))).toEqual(['waiting', 'cached']);
    const coming = play([0, RESOLVED], [1000, received(100)], [2000, received(300)]);
    expect(coming.layers[0]).toMatchObject({ state: 'coming', received: 300, rate: 200 });
    const slower = advance(coming, received(350), 3000);
    expect(slower.layers[0]?.rate).toBeLessThan(200);
    expect(slower.layers[0]?.rate).toBeGreaterThan(50);
    const stored = advance(slower, { type: 'stored', diffId: A }, 4000);
    expect(stored.layers[0]).toMatchObject({ state: 'verified', received: 1000 });
  });

  it('shows the reason of a retry until it succeeds', () => {
    const retry: SessionEvent = { type: 'retry', reason: 'the line is cut', delay: 500 };
    const waiting = play([1, RESOLVED], [2, retry]);
    expect(waiting.retry).toBe('the line is cut');
    expect(advance(waiting, received(1), 3).retry).toBeUndefined();
  });
});

import { expect, it } from 'vitest';
import type { PullEvent } from '../api/browser.ts';
import { StartProgress } from './progress.ts';

const DIGEST = 'sha256:0' as const;
const [first, second] = ['sha256:1', 'sha256:2'] as const;
const resolved: PullEvent = {
  type: 'resolved',
  digest: DIGEST,
  layers: [
    { diffId: first, size: 300, cached: false },
    { diffId: second, size: 100, cached: true },
  ],
};

it('tells each step, and the share of the download', () => {
  const progress = new StartProgress();
  expect(progress.current).toEqual({ text: 'Looking for the image' });
  progress.pull(resolved);
  expect(progress.current).toEqual({ text: 'Downloading the image', share: 0.25 });
  progress.pull({ type: 'progress', diffId: first, received: 200, stored: 900 });
  expect(progress.current.share).toBe(0.75);
  progress.pull({ type: 'stored', diffId: first });
  expect(progress.current).toEqual({ text: 'Starting Linux' });
  progress.boot();
  expect(progress.current).toEqual({ text: 'Starting the program' });
});

it('tells why it tries again, until something arrives', () => {
  const progress = new StartProgress();
  progress.pull({ type: 'retry', reason: 'the network is down', delay: 1000 });
  expect(progress.current).toEqual({ text: 'Trying again: the network is down' });
  progress.pull(resolved);
  expect(progress.current.text).toBe('Downloading the image');
});

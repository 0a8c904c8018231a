import { describe, expect, it } from 'vitest';
import { ImageError, OptionError, StorageError } from '../api/errors.ts';
import { obstacle, problemOf } from './problem.ts';

const scope = (isIsolated: boolean, isSecure: boolean) =>
  ({ crossOriginIsolated: isIsolated, isSecureContext: isSecure }) as typeof globalThis;

describe('a page', () => {
  it('that is isolated can run machines', () => expect(obstacle(scope(true, true))).toBeUndefined());
  it('that is not isolated is told the headers', () =>
    expect(obstacle(scope(false, true))?.message).toContain('Cross-Origin-Embedder-Policy: require-corp'));
  it('in a frame is told about the frame', () =>
    expect(obstacle({ ...scope(false, true), top: {} } as typeof globalThis)?.message).toContain(
      'allow="cross-origin-isolated"',
    ));
  it('without https is told so', () => expect(obstacle(scope(false, false))?.message).toContain('https'));
});

it.each([
  [new OptionError('no such size'), { title: 'These options do not work', text: 'no such size' }],
  [new ImageError('not there', 'not-found'), { title: 'The image cannot be loaded', text: 'not there' }],
  ['odd', { title: 'The container cannot run', text: 'odd' }],
])('%s is told in plain words', (error, problem) =>
  expect(problemOf(error, scope(true, true))).toEqual(problem),
);

it('a frame that may not store anything is told why', () => {
  const problem = problemOf(new StorageError('no storage.'), { top: {} } as typeof globalThis);
  expect(problem.text).toMatch(/no storage\. Browsers that block third-party cookies/);
});

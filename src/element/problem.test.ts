import { describe, expect, it } from 'vitest';
import { ImageError, OptionError } from '../api/errors.ts';
import { obstacle, problemOf } from './problem.ts';

const scope = (isIsolated: boolean, isSecure: boolean) =>
  ({ crossOriginIsolated: isIsolated, isSecureContext: isSecure }) as typeof globalThis;

describe('a page', () => {
  it('that is isolated can run machines', () => expect(obstacle(scope(true, true))).toBeUndefined());
  it('that is not isolated is told the headers', () =>
    expect(obstacle(scope(false, true))?.message).toContain('Cross-Origin-Embedder-Policy: require-corp'));
  it('without https is told so', () => expect(obstacle(scope(false, false))?.message).toContain('https'));
});

it.each([
  [new OptionError('no such size'), { title: 'These options do not work', text: 'no such size' }],
  [new ImageError('not there', 'not-found'), { title: 'The image cannot be loaded', text: 'not there' }],
  ['odd', { title: 'The container cannot run', text: 'odd' }],
])('%s is told in plain words', (error, problem) => expect(problemOf(error)).toEqual(problem));

import { describe, expect, it } from 'vitest';
import { findObstacle } from './support.ts';

const whole = { isSecureContext: true, crossOriginIsolated: true, SharedArrayBuffer, WebAssembly };
const scope = (changes: object) => ({ ...whole, ...changes }) as unknown as typeof globalThis;

class UnsharedMemory {
  buffer = new ArrayBuffer(8);
}

describe('findObstacle', () => {
  it('finds none in a browser with all features', () => {
    expect(findObstacle(scope({}))).toBeUndefined();
  });

  it.each([
    ['an insecure page', { isSecureContext: false }, /secure connection/],
    ['a page without isolation', { crossOriginIsolated: false }, /not cross-origin isolated/],
    ['no SharedArrayBuffer', { SharedArrayBuffer: undefined }, /WebAssembly threads/],
    ['no WebAssembly', { WebAssembly: undefined }, /WebAssembly threads/],
    ['no shared memory', { WebAssembly: { Memory: UnsharedMemory } }, /WebAssembly threads/],
  ])('names %s', (_, changes, title) => {
    expect(findObstacle(scope(changes))?.title).toMatch(title);
  });
});

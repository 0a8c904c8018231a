import { expect, it } from 'vitest';
import { isX86 } from './host.ts';

it('knows an x86', () => {
  expect(isX86).toBe(process.arch === 'x64');
});

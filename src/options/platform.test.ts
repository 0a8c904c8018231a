import { expect, it } from 'vitest';
import { architectureOf, parsePlatform } from './platform.mjs';

it.each([
  ['linux/riscv64', 'riscv64'],
  ['arm64', 'arm64'],
  ['linux/aarch64', 'arm64'],
  // With the variants that Docker takes for granted.
  ['linux/arm64/v8', 'arm64'],
  ['linux/amd64/v1', 'amd64'],
  ['Linux/X86_64', 'amd64'],
])('%s is %s', (text, architecture) => {
  expect(parsePlatform(text)).toBe(architecture);
});

it.each([
  '',
  'linux',
  'linux/s390x',
  'windows/amd64',
  'linux/arm64/v9',
  'linux/amd64/v3',
  'linux/linux/amd64',
])('refuses %j, and says which there are', (text) => {
  expect(() => parsePlatform(text)).toThrow('the platforms are linux/riscv64, linux/arm64, linux/amd64');
});

it('takes no variant in the name of an architecture, where images have none', () => {
  expect(architectureOf('arm64/v8')).toBeUndefined();
});

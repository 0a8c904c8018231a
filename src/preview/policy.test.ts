import { expect, test } from 'vitest';
import { admit, nonceOf } from './policy.ts';

const SHIM = 'http://8000-x.linuxrun.localhost/shim.js';

test.each([
  ["default-src 'self'", `default-src 'self' ${SHIM}`],
  ["default-src 'self'; script-src 'none'; img-src *", `default-src 'self'; script-src ${SHIM}; img-src *`],
  ["SCRIPT-SRC 'self'; script-src-elem a.example", `SCRIPT-SRC 'self'; script-src-elem a.example ${SHIM}`],
  ['img-src *', 'img-src *'],
  ["frame-ancestors 'none'; upgrade-insecure-requests", ''],
  ["script-src 'self', script-src b.example", `script-src 'self' ${SHIM}, script-src b.example ${SHIM}`],
  [' ; ;', ''],
])('%j admits the shim', (policy, expected) => expect(admit(policy, SHIM)).toBe(expected));

test('a nonce is found', () => {
  expect(nonceOf("script-src 'strict-dynamic' 'nonce-aB+/=_-'")).toBe('aB+/=_-');
  expect(nonceOf("script-src 'self'")).toBeUndefined();
  expect(nonceOf(`script-src 'nonce-"><script>'`)).toBeUndefined();
});

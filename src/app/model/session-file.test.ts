import { expect, it } from 'vitest';
import { sessionUrl } from './session-file.ts';

const PAGE = 'https://linux.example/run/';

it('finds sessions on the page’s own origin', () => {
  expect(sessionUrl('demo.linuxrun', PAGE)).toBe('https://linux.example/run/demo.linuxrun');
  expect(sessionUrl('/a/b?c=d', PAGE)).toBe('https://linux.example/a/b?c=d');
  expect(sessionUrl(`${PAGE}x`, PAGE)).toBe(`${PAGE}x`);
});

it.each([
  'https://other.example/run/demo.linuxrun',
  'http://linux.example/run/demo.linuxrun',
  'https://linux.example:8443/x',
  'https://user:secret@linux.example/x',
  '//other.example/x',
  'javascript:alert(1)',
  'data:,x',
  'blob:https://linux.example/x',
  'https://',
])('refuses %s', (address) => {
  expect(() => sessionUrl(address, PAGE)).toThrow('sessions open only from linux.example');
});

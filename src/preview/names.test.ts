import { expect, test } from 'vitest';
import { isLocalAddress, newPreviewId, previewOrigin, readPreviewHost } from './names.ts';

test('the origin of a preview is below the page, and cannot be guessed', () => {
  const ids = Array.from({ length: 100 }, newPreviewId);
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) {
    const origin = previewOrigin(new URL('https://run.example.com:8443/x?y'), 65535, id);
    expect(new URL(origin).origin).toBe(origin);
    expect(readPreviewHost(new URL(origin).host)).toEqual({ port: 65535, id, page: 'run.example.com:8443' });
  }
});

test.each([
  'run.example.com',
  '8000.run.example.com',
  '8000-short.run.example.com',
  '0-abcdefghijkmnpqr.run.example.com',
  '123456-abcdefghijkmnpqr.run.example.com',
  '8000-ABCDEFGHIJKMNPQR.run.example.com',
  'x8000-abcdefghijkmnpqr.run.example.com',
  '8000-abcdefghijkmnpqr',
])('%s is not the host of a preview', (host) => expect(readPreviewHost(host)).toBeUndefined());

test('names and addresses of this machine have no names below them', () => {
  expect(['localhost', '127.0.0.1', '127.1.2.3', '[::1]'].every(isLocalAddress)).toBe(true);
  expect(['linuxrun.localhost', 'localhost.example.com', '128.0.0.1'].some(isLocalAddress)).toBe(false);
});

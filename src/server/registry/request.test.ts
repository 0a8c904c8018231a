import { describe, expect, it } from 'vitest';
import { ProxyError } from './errors.ts';
import { parseRequest } from './request.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

function refusal(path: string, query = ''): ProxyError {
  try {
    parseRequest(path, query);
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
  throw new Error(`${path}${query} was taken`);
}

describe('parseRequest', () => {
  it.each([
    ['/ghcr.io/v2/a/b/manifests/v1.0', 'https://ghcr.io/v2/a/b/manifests/v1.0'],
    [
      '/docker.io/v2/alpine/manifests/latest',
      'https://registry-1.docker.io/v2/library/alpine/manifests/latest',
    ],
    [`/registry-1.docker.io/v2/a/b/blobs/${DIGEST}`, `https://registry-1.docker.io/v2/a/b/blobs/${DIGEST}`],
    [`/quay.io:8443/v2/a/manifests/${DIGEST}`, `https://quay.io:8443/v2/a/manifests/${DIGEST}`],
    ['/127.0.0.1:5000/v2/a/manifests/x', 'http://127.0.0.1:5000/v2/a/manifests/x'],
    ['/[2606:4700::1111]:5000/v2/a/manifests/x', 'https://[2606:4700::1111]:5000/v2/a/manifests/x'],
    // A name may look like a path of the specification.
    ['/ghcr.io/v2/manifests/blobs/tags/manifests/x', 'https://ghcr.io/v2/manifests/blobs/tags/manifests/x'],
  ])('takes %s', (path, url) => expect(parseRequest(path, '').url.href).toBe(url));

  it('accepts lists of tags', () => {
    const { url, kind } = parseRequest('/ghcr.io/v2/a/tags/list', '?n=100&last=v1');
    expect([kind, url.href]).toEqual(['tags', 'https://ghcr.io/v2/a/tags/list?n=100&last=v1']);
  });

  it.each([
    '',
    '/',
    '/ghcr.io/',
    '/ghcr.io/v2/',
    '/ghcr.io/v1/a/manifests/x',
    '/ghcr.io/v2/_catalog',
    '/ghcr.io/v2/a/blobs/uploads/1',
    '/ghcr.io/v2/a/tags/other',
    '/ghcr.io/v2/a/referrers/x',
    '/ghcr.io/token',
    `/ghcr.io/v2/${'a'.repeat(2000)}/manifests/x`,
  ])('finds nothing at "%s"', (path) =>
    expect(refusal(path)).toMatchObject({ status: 404, code: 'UNSUPPORTED' }),
  );

  it.each([
    '/ghcr.io/v2/A/manifests/x',
    '/ghcr.io/v2/a//b/manifests/x',
    '/ghcr.io/v2/a/../b/manifests/x',
    '/ghcr.io/v2/a%2fb/manifests/x',
    '/ghcr.io/v2/a@b/manifests/x',
    '/ghcr.io/v2/a:b/manifests/x',
    '/ghcr.io/v2/-a/manifests/x',
    '/ghcr.io/v2/a/manifests/.x',
    '/ghcr.io/v2/a/manifests/x%00',
    `/ghcr.io/v2/a/manifests/x@${DIGEST}`,
    '/ghcr.io/v2/a/manifests/sha256:abc',
    `/ghcr.io/v2/a/manifests/${'x'.repeat(129)}`,
    `/ghcr.io/v2/${'a/'.repeat(200)}a/manifests/x`,
    '/user@ghcr.io/v2/a/manifests/x',
    '/user:p@ghcr.io/v2/a/manifests/x',
    '/ghcr.io?x/v2/a/manifests/x',
    '/ghcr.io#x/v2/a/manifests/x',
    '/ghcr.io:99999/v2/a/manifests/x',
    '/notahost/v2/a/manifests/x',
    '/docker.io:/v2/a/manifests/x',
    '/%67hcr.io/v2/a/manifests/x',
  ])('refuses the name in %s', (path) =>
    expect(refusal(path)).toMatchObject({ status: 400, code: 'NAME_INVALID' }),
  );

  it.each(['latest', 'sha256:abc', `sha256:${'A'.repeat(64)}`, `md5:${'0'.repeat(32)}`, `${DIGEST}0`, '..'])(
    'refuses the digest %s',
    (digest) =>
      expect(refusal(`/ghcr.io/v2/a/blobs/${digest}`)).toMatchObject({ status: 400, code: 'DIGEST_INVALID' }),
  );

  it('refuses unknown queries', () => {
    expect(refusal('/ghcr.io/v2/a/manifests/x', '?ns=b').code).toBe('UNSUPPORTED');
    for (const query of ['?x=1', '?n=-1', '?n=1&n=2', '?last=../..', '?n=10000000'])
      expect(refusal('/ghcr.io/v2/a/tags/list', query).status).toBe(400);
  });
});

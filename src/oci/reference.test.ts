import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageError } from './errors.ts';
import { formatReference, parseReference } from './reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('names of registries, by the rules of Docker', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    [' alpine ', 'docker.io/library/alpine:latest'],
    ['docker://alpine', 'docker.io/library/alpine:latest'],
    ['DOCKER://alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['bitnami/redis:7', 'docker.io/bitnami/redis:7'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest'],
    ['docker.io/a/b/c', 'docker.io/a/b/c:latest'],
    ['ghcr.io/owner/name:v1', 'ghcr.io/owner/name:v1'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['127.0.0.1:5000/a/b:c', '127.0.0.1:5000/a/b:c'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    ['MyHost/x', 'MyHost/x:latest'],
    ['host.example:443/x', 'host.example:443/x:latest'],
    ['foo/bar', 'docker.io/foo/bar:latest'],
    ['a__b/c.d-e--f_g', 'docker.io/a__b/c.d-e--f_g:latest'],
    [`alpine@${DIGEST}`, `docker.io/library/alpine@${DIGEST}`],
    [`alpine:3@${DIGEST}`, `docker.io/library/alpine:3@${DIGEST}`],
    [`x.io:1/y@${DIGEST}`, `x.io:1/y@${DIGEST}`],
    ['x:_Tag.with-all', 'docker.io/library/x:_Tag.with-all'],
  ])('%s is %s', (text, canonical) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(canonical);
    expect(formatReference(parseReference(canonical))).toBe(canonical);
  });

  it('parses a name', () => {
    expect(parseReference(`h.io:5/a/b:t@${DIGEST}`)).toEqual({
      scheme: 'docker',
      registry: 'h.io:5',
      repository: 'a/b',
      tag: 't',
      digest: DIGEST,
    });
  });

  it.each([
    ['', /empty/],
    ['Alpine', /lower case/],
    ['docker.io/Library/alpine', /lower case/],
    ['alpine:', /not a tag/],
    [`alpine:${'x'.repeat(129)}`, /not a tag/],
    ['alpine:a b', /not a tag/],
    ['a//b', /part of the name is empty/],
    ['a/b/', /part of the name is empty/],
    ['/a', /part of the name is empty/],
    ['-a', /"-a" is not a name/],
    ['a..b', /not a name/],
    ['a___b', /not a name/],
    ['a.-b', /not a name/],
    ['bad_host.io/x', /not a host name/],
    ['host:port/x', /not a host name/],
    ['alpine@sha256:abc', /not a sha256 or sha512 digest/],
    [`alpine@${DIGEST.toUpperCase()}`, /not a sha256 or sha512 digest/],
    [`alpine@md5:${'0'.repeat(32)}`, /not a sha256 or sha512 digest/],
    ['0123456789abcdef'.repeat(4), /image ID/],
    [`${'a/'.repeat(200)}b`, /longer than 255/],
    ['ftp://x', /unknown scheme "ftp"/],
    ['https://alpine', /unknown scheme "https": use docker/],
    ['a\u001b[31m\nb', /not an image reference/],
  ])('%j is refused', (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
    try {
      parseReference(text);
    } catch (error) {
      expect(error).toBeInstanceOf(ImageError);
      expect((error as ImageError).kind).toBe('reference');
      expect((error as ImageError).message).not.toMatch(/[\p{C}]/u);
    }
  });
});

describe('paths', () => {
  it.each([
    ['oci:///images', { scheme: 'oci', path: '/images', image: {} }],
    ['oci:///images:busybox', { scheme: 'oci', path: '/images', image: { name: 'busybox' } }],
    [
      'oci:///images:docker.io/library/a:1',
      { scheme: 'oci', path: '/images', image: { name: 'docker.io/library/a:1' } },
    ],
    ['oci://./images:a', { scheme: 'oci', path: './images', image: { name: 'a' } }],
    [`oci:///images@${DIGEST}`, { scheme: 'oci', path: '/images', image: { digest: DIGEST } }],
    ['file:///a%20b%3Ac.tar', { scheme: 'file', path: '/a b:c.tar', image: {} }],
    ['file:///a@b.tar.gz:x', { scheme: 'file', path: '/a@b.tar.gz', image: { name: 'x' } }],
    ['file://C:\\images\\a.tar:x', { scheme: 'file', path: 'C:\\images\\a.tar', image: { name: 'x' } }],
    ['file:///ü.tar', { scheme: 'file', path: '/ü.tar', image: {} }],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    ['oci://', /path is missing/],
    ['oci://:tag', /path is missing/],
    ['file:///a:', /tag is missing/],
    ['file:///100%.tar', /%25/],
    ['file:///a%00b', /percent-encoded/],
  ])('%s is refused', (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
  });

  it('are written so that they can be read again', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((path) => !path.includes('\0')),
        fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9.:/_-]*$/), { nil: undefined }),
        fc.option(fc.constant(DIGEST as `sha256:${string}`), { nil: undefined }),
        (path, name, digest) => {
          // Spaces around the whole are not part of it.
          const reference = { scheme: 'oci' as const, path: `/${path}/x`, image: { name, digest } };
          expect(parseReference(formatReference(reference))).toEqual(reference);
        },
      ),
    );
  });
});

import { expect, it } from 'vitest';
import { canonicalName, shortName } from './names.ts';

it.each([
  ['alpine', 'alpine'],
  ['docker.io/library/alpine:latest', 'alpine'],
  ['bitnami/redis:7', 'bitnami/redis:7'],
  ['ghcr.io/a/b:latest', 'ghcr.io/a/b'],
  [`alpine@sha256:${'ab'.repeat(32)}`, 'alpine@sha256:abababababab…'],
  ['oci://images:busybox', 'busybox'],
  ['oci://other/place:x', 'other/place:x'],
  ['file://image.tar', 'image.tar'],
])('%s is shown as %s', (image, name) => {
  expect(shortName(canonicalName(image) ?? '')).toBe(name);
});

it('has no canonical name for an invalid reference', () => {
  expect(canonicalName('No Image')).toBeUndefined();
});

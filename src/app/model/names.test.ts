import { expect, it } from 'vitest';
import { canonicalName, imageShownAs, nameOfChoice, readPlatform, shortName, shownImage } from './names.ts';

it.each([
  ['alpine', 'alpine'],
  ['docker.io/library/alpine:latest', 'alpine'],
  ['bitnami/redis:7', 'bitnami/redis:7'],
  ['ghcr.io/a/b:latest', 'ghcr.io/a/b'],
  [`alpine@sha256:${'ab'.repeat(32)}`, 'alpine@sha256:abababababab…'],
  ['oci://images:busybox', 'BusyBox'],
  ['oci://images:other', 'other'],
  ['oci://other/place:x', 'other/place:x'],
  ['file://image.tar', 'image.tar'],
])('%s is shown as %s', (image, name) => {
  expect(shortName(canonicalName(image) ?? '')).toBe(name);
});

it.each([
  ['docker.io/library/python:3.12-trixie', 'python:3.12-trixie'],
  ['file://image.tar:tool:1.0', 'tool:1.0'],
  [`oci://place@sha256:${'ab'.repeat(32)}`, 'sha256:abababababab…'],
])('%s is the choice %s', (reference, name) => {
  expect(nameOfChoice(reference)).toBe(name);
});

it('shows demo images by names that are no references, and knows them again', () => {
  expect(shownImage('oci://images:hello-world')).toBe('Hello World');
  expect(canonicalName('Hello World')).toBeUndefined();
  expect(imageShownAs(' Hello World ')).toBe('oci://images:hello-world');
  for (const image of ['alpine', 'hello-world', 'oci://images:other', ''])
    expect(imageShownAs(shownImage(image))).toBe(image);
});

it('has no canonical name for an invalid reference', () => {
  expect(canonicalName('No Image')).toBeUndefined();
});

it.each([
  ['arm64', 'arm64'],
  [' linux/arm64 ', 'arm64'],
  ['LINUX/AMD64', 'amd64'],
  ['x86_64', 'amd64'],
  ['linux/s390x', undefined],
  ['', undefined],
])('the platform %j is %s, as a run reads it', (text, platform) => {
  expect(readPlatform(text)).toBe(platform);
});

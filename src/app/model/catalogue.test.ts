import { expect, it } from 'vitest';
import { DEMOS, PUBLIC_IMAGES } from './catalogue.ts';
import { readReference } from './names.ts';

/** Official images with riscv64, in November 2026. Not among them are node, gcc, mysql, mariadb and mongo. */
const PUBLISHED = [
  'alpine',
  'bash',
  'busybox',
  'debian',
  'golang',
  'perl',
  'php',
  'python',
  'ruby',
  'rust',
  'ubuntu',
];
/** Debian before 13 has no riscv64, and Ubuntu's programs use vectors from 25.10 on. */
const UNSUITABLE = /bookworm|bullseye|buster|2[5-9]\.|latest/;

it.each(PUBLIC_IMAGES)('$image is published for this machine', ({ image }) => {
  const reference = readReference(image);
  expect(reference).toMatchObject({ scheme: 'docker', registry: 'docker.io' });
  const [name, tag = ''] = image.split(':');
  expect(PUBLISHED).toContain(name);
  expect(tag).not.toMatch(UNSUITABLE);
  // The plain tags of Ubuntu mean its newest release.
  if (name === 'ubuntu') expect(tag).toBe('24.04');
});

it('has each name and image once', () => {
  const entries = [...DEMOS, ...PUBLIC_IMAGES];
  for (const key of ['name', 'image'] as const)
    expect(new Set(entries.map((entry) => entry[key])).size).toBe(entries.length);
});

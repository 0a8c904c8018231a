import { describe, expect, it } from 'vitest';
import { rankTags } from './nearest-tag.ts';

/** Tags as Docker Hub's official images have them. */
const VERSIONS = ['3', '3.12', '3.12.1', '3.13', 'latest'];
const PYTHON = VERSIONS.flatMap((version) => [
  version,
  ...['trixie', 'slim-trixie', 'bookworm', 'slim-bookworm', 'alpine', 'alpine3.22', 'windowsservercore'].map(
    (distribution) => (version === 'latest' ? distribution : `${version}-${distribution}`),
  ),
]);
const DEBIAN = [
  '13',
  '12',
  '11',
  'trixie',
  'trixie-slim',
  'bookworm',
  'bookworm-slim',
  '12-slim',
  'bullseye',
];

describe('the tags most like one', () => {
  it.each([
    ['3.12-bookworm', PYTHON, '3.12-trixie'],
    ['3.12-slim-bookworm', PYTHON, '3.12-slim-trixie'],
    ['3.12.1-bookworm', PYTHON, '3.12.1-trixie'],
    ['bookworm', PYTHON, 'trixie'],
    ['bookworm', DEBIAN, 'trixie'],
    ['bookworm-slim', DEBIAN, 'trixie-slim'],
    ['3.12', PYTHON, '3.12-trixie'],
    ['latest', PYTHON, 'trixie'],
    ['', PYTHON, 'trixie'],
    ['1.27-jammy', ['1.27-jammy-perl', '1.26-trixie', '1.27-alpine', '1.27'], '1.27-alpine'],
  ])('for %s begin with the right one', (wanted, tags, nearest) => {
    expect(rankTags(tags, wanted, 5)[0]).toBe(nearest);
  });

  it('are few, and not the tag itself, nor signatures', () => {
    const tags = [
      '1',
      '1-alpine',
      'sha256-0123.sig',
      'a.sbom',
      ...Array.from({ length: 5000 }, (_, i) => `t${i}`),
    ];
    const ranked = rankTags(tags, '1', 5);
    expect(ranked).toHaveLength(5);
    expect(ranked).not.toContain('1');
    expect(ranked.join()).not.toMatch(/sig|sbom/);
  });
});

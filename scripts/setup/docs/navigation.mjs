/** The order of the documentation: it makes the menu, and the ways to the previous and the next page. */

/** @typedef {{ title: string, sources: readonly string[] }} Section its pages are Markdown files */

/** The page at `docs/` itself. */
export const FIRST = 'docs/getting-started.md';

/** The section that is made of the types, and the one before it. */
export const REFERENCE = 'API reference';
export const BEFORE_REFERENCE = 'Embed it';

/** @type {readonly Section[]} */
export const SECTIONS = [
  {
    title: 'Use it',
    sources: [FIRST, 'docs/projects.md', 'docs/cli.md', 'docs/variables.md', 'docs/comparison.md'],
  },
  {
    title: 'Recipes',
    sources: [
      'docs/recipes/code-blocks.md',
      'docs/recipes/data.md',
      'docs/recipes/ci.md',
      'docs/recipes/web-server.md',
      'docs/recipes/kept.md',
      'docs/recipes/channels.md',
    ],
  },
  {
    title: BEFORE_REFERENCE,
    sources: ['docs/api.md', 'docs/embedding.md', 'docs/server.md', 'docs/releases.md'],
  },
  {
    title: 'How it works',
    sources: [
      'docs/architecture.md',
      'docs/page.md',
      'docs/images.md',
      'docs/disk.md',
      'docs/containers.md',
      'docs/network.md',
      'docs/previews.md',
      'docs/agent-protocol.md',
      'docs/kernel.md',
      'docs/devices.md',
      'docs/shared-folders.md',
      'docs/snapshots.md',
      'docs/core.md',
      'docs/jit.md',
      'docs/performance.md',
    ],
  },
  {
    title: 'Project',
    sources: ['CONTRIBUTING.md', 'docs/testing.md', 'SECURITY.md'],
  },
];

import { expect, it } from 'vitest';
import { readView, type SavedView, writeView } from './saved-view.ts';

const VIEW: SavedView = {
  processes: [0, 7],
  terminals: [
    {
      process: 0,
      title: 'vi notes',
      columns: 80,
      rows: 24,
      content: '\x1b[?1049h~',
      unshown: new Uint8Array(),
    },
    { process: 7, title: '', columns: 80, rows: 24, content: '/ # ', unshown: Uint8Array.of(65) },
  ],
  active: 7,
  beside: 0,
  files: { isShown: true, expanded: ['/', '/etc'], selected: '/etc' },
  editor: {
    open: [
      { path: '/etc/motd', unsaved: null },
      { path: '/srv/a', unsaved: { text: 'mine', base: 'old' } },
      { path: '/srv/new', unsaved: { text: '', base: null } },
    ],
    ...{ active: '/srv/a', isInFront: true, isWrapped: false },
  },
  previews: { id: 'abcdefgh23456789', isShown: true, active: 80, open: [{ port: 80, path: '/a?b' }] },
};

it('reads what it has written', () => {
  expect(readView(writeView(VIEW))).toEqual(VIEW);
});

it('reads what was written before there was an editor', () => {
  const { beside, editor, ...old } = VIEW;
  const view = readView({ ...old, version: 1 } as unknown as Parameters<typeof readView>[0]);
  expect(view).toMatchObject({ active: 7, beside: -1, editor: { open: [], active: '' } });
});

it.each([
  ['no object', null],
  ['another version', { ...VIEW, version: 3 }],
  ['a screen that cannot be', { ...VIEW, version: 1, terminals: [{ ...VIEW.terminals[0], rows: 1e9 }] }],
  ['a title that is no text', { ...VIEW, version: 1, terminals: [{ ...VIEW.terminals[0], title: 1 }] }],
  ['a port that cannot be', { ...VIEW, version: 1, previews: { ...VIEW.previews, active: 65_536 } }],
  ['an editor that is none', { ...VIEW, version: 2, editor: { ...VIEW.editor, open: [{ path: 1 }] } }],
  ['too many terminals', { ...VIEW, version: 1, terminals: Array(257).fill(VIEW.terminals[0]) }],
])('refuses %s', (_, saved) => {
  expect(() => readView(saved as unknown as Parameters<typeof readView>[0])).toThrow(/what the page shows/);
});

it('gives previews an origin of their own if the session is from somebody else', () => {
  const previews = { ...VIEW.previews, id: '80.evil.example' };
  const { id } = readView(writeView({ ...VIEW, previews })).previews;
  expect(id).toMatch(/^[a-z0-9]{16}$/);
  expect(readView(writeView({ ...VIEW, previews })).previews.id).not.toBe(id);
});

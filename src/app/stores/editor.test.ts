import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import type { FileText } from '../machine/container-files.ts';
import { current } from './connection.ts';
import { hasUnsavedText, shownEditor, useEditor } from './editor.ts';
import { useKeeping } from './keeping.ts';

/** The content of each file in the container; null if it is not text. */
const disk = new Map<string, string | null>();
const read = (path: string): FileText => {
  const text = disk.get(path);
  if (text === undefined) return { kind: 'missing' };
  return text === null ? { kind: 'binary' } : { kind: 'text', text };
};
const readText = vi.fn(async (path: string) => read(path));
const writeText = vi.fn(async (path: string, text: string, base: string | null) => {
  if ((disk.get(path) ?? null) !== base) return read(path);
  disk.set(path, text);
  return undefined;
});
const watches = new Map<number, (name: string) => void>();
const watch = vi.fn((job: number, _folder: string, onChange: (name: string) => void) => {
  watches.set(job, onChange);
  return new Promise<void>(() => {});
});
const cancel = vi.fn((job: number) => watches.delete(job));

const state = () => useEditor.getState();
const file = (path = '/a') => state().files.find((file) => file.path === path);
/** Changes a file from inside. */
const change = (name: string, text: string | undefined) => {
  if (text === undefined) disk.delete(`/${name}`);
  else disk.set(`/${name}`, text);
  for (const onChange of watches.values()) onChange(name);
};

beforeEach(() => {
  disk.clear();
  watches.clear();
  for (const [path, text] of [
    ['/a', 'one\r\ntwo\r\n'],
    ['/b', 'three'],
    ['/raw', null],
  ] as const)
    disk.set(path, text);
  readText.mockClear();
  writeText.mockClear();
  const files = { readText, writeText, watch, cancel };
  current.connection = { session: { files } } as unknown as Connection;
  useKeeping.getState().begin('kept');
  state().reset();
});
afterEach(() => {
  current.connection = undefined;
});

it('saves a text with the line ends of its file, and knows what is saved', async () => {
  await state().open('/a');
  expect(file()).toMatchObject({ state: 'ready', isDirty: false });
  expect(`${file()?.draft}`).toBe('one\ntwo\n');
  state().edit('/a', 'one\n2\n');
  expect(hasUnsavedText()).toBe(true);
  state().edit('/a', 'one\ntwo\n');
  expect(hasUnsavedText()).toBe(false);
  state().edit('/a', 'one\n2\n');
  expect(await state().save('/a')).toBe(true);
  expect(disk.get('/a')).toBe('one\r\n2\r\n');
  expect(file()).toMatchObject({ isDirty: false, problem: '' });
});

it('keeps what is typed while a save is on its way as unsaved, without a conflict', async () => {
  await state().open('/b');
  state().edit('/b', 'first');
  const saving = state().save('/b');
  state().edit('/b', 'second');
  await Promise.all([saving, state().save('/b')]);
  expect(disk.get('/b')).toBe('second');
  expect(file('/b')).toMatchObject({ isDirty: false, theirs: undefined });
});

it('does not take what it read before a save for a change', async () => {
  await state().open('/b');
  let answer = () => {};
  readText.mockImplementationOnce(async () => {
    const old = read('/b');
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return old;
  });
  const looking = state().open('/b');
  await expect.poll(() => readText.mock.calls.length).toBeGreaterThan(1);
  state().edit('/b', 'mine');
  await state().save('/b');
  state().edit('/b', 'mine, and more');
  answer();
  await looking;
  expect(file('/b')).toMatchObject({ theirs: undefined, base: 'mine' });
  expect(`${file('/b')?.draft}`).toBe('mine, and more');
});

it('keeps the text that cannot be saved, and says why', async () => {
  await state().open('/b');
  state().edit('/b', 'mine');
  writeText.mockRejectedValueOnce(new Error('the disk is full'));
  expect(await state().save('/b')).toBe(false);
  expect(file('/b')?.problem).toMatch(/not saved: the disk is full/);
  expect(file('/b')).toMatchObject({ isDirty: true });
  expect(disk.get('/b')).toBe('three');
});

it('opens no bytes and no missing files', async () => {
  await state().open('/raw');
  await state().open('/none');
  expect(file('/raw')?.problem).toMatch(/no text/);
  expect(file('/none')?.problem).toMatch(/gone/);
});

it('follows a change from inside when nothing is unsaved', async () => {
  await state().open('/b');
  const load = file('/b')?.load ?? 0;
  change('b', 'from inside');
  await expect.poll(() => `${file('/b')?.draft}`).toBe('from inside');
  expect(file('/b')).toMatchObject({ isDirty: false, theirs: undefined, load: load + 1 });
});

it('asks which text stays when both sides have changed it', async () => {
  await state().open('/b');
  state().edit('/b', 'mine');
  change('b', 'theirs');
  await expect.poll(() => file('/b')?.theirs).toBe('theirs');
  // A save writes nothing as long as nobody has chosen.
  expect(await state().save('/b')).toBe(false);
  expect(disk.get('/b')).toBe('theirs');
  state().keepMine('/b');
  expect(await state().save('/b')).toBe(true);
  expect(disk.get('/b')).toBe('mine');

  state().edit('/b', 'mine again');
  disk.set('/b', 'theirs again');
  expect(await state().save('/b')).toBe(false);
  expect(file('/b')?.theirs).toBe('theirs again');
  state().takeTheirs('/b');
  expect(file('/b')).toMatchObject({ isDirty: false, theirs: undefined });
  expect(`${file('/b')?.draft}`).toBe('theirs again');
});

it('keeps the text of a file that is deleted, as the only one left of it', async () => {
  await state().open('/b');
  change('b', undefined);
  await expect.poll(() => file('/b')?.isDirty).toBe(true);
  expect(`${file('/b')?.draft}`).toBe('three');
  expect(await state().save('/b')).toBe(true);
  expect(disk.get('/b')).toBe('three');
});

it('asks before it closes a file with unsaved text, and shows the next one', async () => {
  await state().open('/a');
  await state().open('/b');
  state().edit('/b', 'mine');
  state().close('/b');
  expect(state().closing).toBe('/b');
  state().cancelClosing();
  expect(state().files).toHaveLength(2);
  state().discard('/b');
  expect(state()).toMatchObject({ active: '/a', closing: undefined });
  state().close('/a');
  expect(state().files).toEqual([]);
  expect(watches.size).toBe(0);
});

it('is the same after a reload, with unsaved text and the changes that it missed', async () => {
  await state().open('/a');
  await state().open('/b');
  state().edit('/b', 'mine');
  const saved = shownEditor();
  state().reset();
  watches.clear();
  disk.set('/b', 'changed meanwhile');
  state().restore(saved);
  expect(state()).toMatchObject({ active: '/b' });
  await expect.poll(() => file('/b')?.theirs).toBe('changed meanwhile');
  expect(`${file('/b')?.draft}`).toBe('mine');
  await expect.poll(() => file('/a')?.state).toBe('ready');
  expect(file('/a')?.isDirty).toBe(false);
});

it('follows a folder that is renamed', async () => {
  disk.set('/src/x', 'text');
  disk.set('/lib/x', 'text');
  await state().open('/src/x');
  state().edit('/src/x', 'mine');
  state().moved('/src', '/lib');
  expect(state()).toMatchObject({ active: '/lib/x' });
  expect(`${file('/lib/x')?.draft}`).toBe('mine');
  expect(await state().save('/lib/x')).toBe(true);
  expect(disk.get('/lib/x')).toBe('mine');
});

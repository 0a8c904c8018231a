import { describe, expect, it } from 'vitest';
import type { NewFile } from '../../api/kept.ts';
import { checkForm } from './check.ts';
import { DEFAULT_FORM } from './form.ts';
import {
  containerNameOf,
  MOST_BYTES,
  MOST_FILES,
  ProjectError,
  readProject,
  writeManifest,
} from './project.ts';
import { starterProject } from './starter-files.ts';
import { STARTERS } from './starters.ts';

const file = (path: string, text = path): NewFile => ({
  ...{ path, content: new TextEncoder().encode(text), isExecutable: false },
});
const GOOD = {
  linuxrun: 1,
  name: 'A site',
  settings: { LINUXRUN_IMAGE: 'alpine', LINUXRUN_PORTS: '8080:80', LINUXRUN_ENV: 'A=1' },
  open: ['a/b.txt'],
};
const manifest = (changes: object = {}) => file('linuxrun.json', JSON.stringify({ ...GOOD, ...changes }));
const read = (changes: object, ...files: NewFile[]) =>
  readProject([manifest({ open: [], ...changes }), ...files]);

describe('readProject', () => {
  it('takes the settings of links, and a folder for the files', () => {
    const { name, form, errors, files, open } = readProject([file('a/b.txt'), manifest()]);
    expect({ name, errors, open }).toEqual({ name: 'A site', errors: {}, open: ['a/b.txt'] });
    expect(form).toEqual({
      ...DEFAULT_FORM,
      ...{ image: 'alpine', ports: '8080:80', env: [{ name: 'A', value: '1' }], workdir: '/project' },
    });
    expect(files.map(({ path }) => path)).toEqual(['a/b.txt']);
  });

  it('takes the only folder of an archive for its root', () => {
    const inFolder = [manifest(), file('a/b.txt')].map((each) => ({ ...each, path: `repo-1/${each.path}` }));
    expect(readProject(inFolder).files.map(({ path }) => path)).toEqual(['a/b.txt']);
    expect(() => readProject([...inFolder, file('other')])).toThrow(/there is no linuxrun.json/);
  });

  it.each<[string, object, RegExp]>([
    ['another version', { linuxrun: 2 }, /reads version 1 of the format, and "linuxrun" has another/],
    ['no version', { linuxrun: undefined }, /"linuxrun" is missing/],
    ['an unknown key', { command: 'x' }, /"command" is unknown/],
    ['a name of another type', { name: 1 }, /"name" is a text of 1 to 64 characters/],
    ['a long name', { name: 'x'.repeat(65) }, /"name" is a text/],
    ['control characters in the name', { name: 'a\u001b[2Jb' }, /"name" is a text/],
    ['no settings', { settings: [] }, /"settings" is an object/],
    ['a setting that is no variable', { settings: { image: 'a' } }, /"image", which is no variable/],
    ['a number', { settings: { LINUXRUN_CPUS: 2 } }, /LINUXRUN_CPUS is a text/],
    ['a long value', { settings: { LINUXRUN_ARGS: 'x'.repeat(8193) } }, /LINUXRUN_ARGS is a text of at most/],
    ['no image', { settings: {} }, /lacks LINUXRUN_IMAGE/],
    ['a relay', { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_RELAY: 'wss://x' } }, /LINUXRUN_RELAY, which no/],
    [
      'a kept container',
      { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_NAME: 'x' } },
      /LINUXRUN_NAME, which no/,
    ],
    ['mounts', { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_MOUNTS: '/:/x' } }, /LINUXRUN_MOUNTS, which no/],
    ['a session', { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_SNAPSHOT: 'x' } }, /LINUXRUN_SNAPSHOT, which/],
    ['a project', { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_PROJECT: 'x' } }, /LINUXRUN_PROJECT, which/],
    ['the root', { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_WORKDIR: '/' } }, /LINUXRUN_WORKDIR: "\/"/],
    ['/proc', { settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_WORKDIR: '/proc/x' } }, /cannot be mounted at/],
    ['open that is no list', { open: 'a' }, /"open" is a list/],
    ['an open file that is missing', { open: ['b'] }, /"open" has b, which is not among the files/],
    ['many open files', { open: new Array(17).fill('a') }, /"open" is a list of at most 16/],
  ])('refuses %s', (_, changes, message) => {
    expect(() => read(changes, file('a'))).toThrow(message);
    expect(() => read(changes, file('a'))).toThrow(ProjectError);
  });

  it('leaves values that the form explains to the form', () => {
    const { form } = read({ settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_MEMORY: 'plenty' } });
    expect(checkForm(form).errors).toHaveProperty('memory');
    expect(read({ settings: { LINUXRUN_IMAGE: 'a', LINUXRUN_ENV: 'x' } }).errors).toHaveProperty('env');
  });

  it.each([
    ...['../a', 'a/../b', '/a', 'a//b', 'a/.', 'a\0', 'x'.repeat(256), `${'x/'.repeat(600)}x`, 'a/.wh.b'],
  ])('refuses the path %j', (path) => {
    expect(() => read({}, file(path))).toThrow(ProjectError);
  });

  it('refuses files that are in each other’s way, and links to nowhere', () => {
    expect(() => read({}, file('a'), file('a'))).toThrow(/a: it is there twice/);
    expect(() => read({}, file('a'), file('a/b'))).toThrow(/a folder of it is also a file/);
    expect(() => read({}, { ...file('a', ''), target: '' })).toThrow(/link to nowhere/);
    expect(read({}, { ...file('a', ''), target: '/etc' }).files).toHaveLength(1);
  });

  it('has bounds', () => {
    const many = Array.from({ length: MOST_FILES }, (_, number) => file(`f${number}`));
    expect(() => read({}, ...many)).toThrow(/more than 10000 files/);
    const large = { ...file('a'), content: new Uint8Array(MOST_BYTES) };
    expect(() => read({}, large)).toThrow(/larger than 64 MB together/);
    expect(() => readProject([file('linuxrun.json', `"${'x'.repeat(70_000)}"`)])).toThrow(
      /larger than 64 KB/,
    );
  });

  it.each([
    ['not JSON', /linuxrun.json: it is no JSON/],
    ['[]', /linuxrun.json: it is no object/],
  ])('refuses %s', (text, message) => {
    expect(() => readProject([file('linuxrun.json', text)])).toThrow(message);
  });

  it('does not follow a link in place of its settings', () => {
    expect(() => readProject([{ ...manifest(), target: '/etc/passwd' }])).toThrow(
      /there is no linuxrun.json/,
    );
  });
});

it('writes what it reads', () => {
  const { name, form, files, open } = readProject([file('a/b.txt'), manifest()]);
  const again = readProject([
    ...files,
    file('linuxrun.json', writeManifest({ name, form, open }, { withValues: true })),
  ]);
  expect(again).toMatchObject({ name, form, open });
});

it('makes names of containers', () => {
  expect(containerNameOf({ name: 'Größe: 2 Sites!' })).toBe('gro-e-2-sites');
  expect(containerNameOf({ name: '漢字' })).toBe('project');
});

it.each(STARTERS)('$name is a project that can run', ({ id, name, image }) => {
  const { files, open, errors, ...project } = starterProject(id);
  expect(project.name).toBe(name);
  expect(project.form.image).toBe(image ?? 'oci://images:busybox');
  expect({ ...errors, ...checkForm(project.form).errors }).toEqual({});
  expect(open.length).toBeGreaterThan(0);
  const script = /^sh (.*)$/.exec(project.form.entrypoint)?.[1];
  if (script) expect(files.find(({ path }) => path === script)).toMatchObject({ isExecutable: true });
});

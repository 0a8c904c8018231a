import { describe, expect, it } from 'vitest';
import { DockerError, NotFoundError } from './errors.ts';
import { findById } from './find.ts';
import { inspect } from './inspect.ts';
import { randomId, randomName } from './names.ts';

const OBJECTS = [{ id: 'abc1' }, { id: 'abd2' }, { id: 'f' }];
const find = (text: string) => findById('container', OBJECTS, text, ({ id }) => id);

describe('the beginning of an ID', () => {
  it.each([
    ['abc', 'abc1'],
    ['abd2', 'abd2'],
    ['f', 'f'],
  ])('%s', (text, id) => {
    expect(find(text)).toEqual({ id });
  });

  it.each([
    ['', 'No such container: '],
    ['e', 'No such container: e'],
    ['abc12', 'No such container: abc12'],
    ['.*', 'No such container: .*'],
    ['ab', 'several containers have an ID that begins with ab: write more of it'],
  ])('%j is none', (text, message) => {
    expect(() => find(text)).toThrow(expect.objectContaining({ message, status: 1 }));
  });
});

describe('inspect', () => {
  const describers = {
    async container(name: string) {
      if (name === 'ab') throw new DockerError('several containers', 1);
      if (name === 'broken') throw new TypeError('broken');
      if (name !== 'both' && name !== 'web') throw new NotFoundError('container', name);
      return { Name: `container ${name}` };
    },
    async image(name: string) {
      if (name !== 'both' && name !== 'alpine') throw new NotFoundError('image', name);
      return { Name: `image ${name}` };
    },
  };
  const run = (
    names: readonly string[],
    type?: 'container' | 'image',
    format: string | undefined = '{{.Name}}',
  ) => inspect({ command: 'inspect', names, type, format }, describers);

  it('prefers containers, and shows all that there are', async () => {
    expect(await run(['both', 'nosuch', 'alpine', 'ab'])).toEqual({
      output: 'container both\nimage alpine\n',
      problems: ['No such object: nosuch', 'several containers'],
    });
  });

  it('looks only for the given type', async () => {
    expect(await run(['both', 'web'], 'image')).toEqual({
      output: 'image both\n',
      problems: ['No such image: web'],
    });
    expect(await run(['alpine'], 'container')).toEqual({
      output: '',
      problems: ['No such container: alpine'],
    });
  });

  it('shows JSON without a template', async () => {
    const { output } = await inspect(
      { command: 'inspect', names: ['web'], type: undefined, format: undefined },
      describers,
    );
    expect(output).toBe('[\n    {\n        "Name": "container web"\n    }\n]\n');
    expect((await run(['web'], 'container', 'json')).output).toBe('{"Name":"container web"}\n');
  });

  it('ends with other errors, and with a wrong template', async () => {
    await expect(run(['broken'])).rejects.toThrow(TypeError);
    await expect(run(['web'], undefined, '{{.Nonesuch}}')).rejects.toThrow('there is no .Nonesuch');
  });
});

it('makes up names and IDs', () => {
  expect(randomName()).toMatch(/^[a-z]+_[a-z]+$/);
  expect(randomId()).toMatch(/^[0-9a-f]{64}$/);
  expect(randomId()).not.toBe(randomId());
});

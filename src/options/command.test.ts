import { describe, expect, test } from 'vitest';
import { type CommandOptions, commandOf, type ImageCommand } from './command.ts';

describe('command line, as in Docker', () => {
  const config = { entrypoint: ['entry', '-e'], cmd: ['cmd'] };
  const bare = { entrypoint: [], cmd: ['cmd', '1'] };

  test.each<[string, ImageCommand, CommandOptions, string[]]>([
    ['the image alone', config, {}, ['entry', '-e', 'cmd']],
    ['an image without an entrypoint', bare, {}, ['cmd', '1']],
    ['arguments replace the command', config, { args: ['a', 'b'] }, ['entry', '-e', 'a', 'b']],
    ['no arguments do, too', config, { args: [] }, ['entry', '-e']],
    ['an entrypoint drops the command', config, { entrypoint: ['sh'] }, ['sh']],
    ['both', config, { entrypoint: ['sh', '-x'], args: ['a'] }, ['sh', '-x', 'a']],
    ['an empty entrypoint takes that away', config, { entrypoint: [], args: ['a'] }, ['a']],
    ['ENTRYPOINT [""] is none', { ...bare, entrypoint: [''] }, {}, ['cmd', '1']],
    ['an entrypoint of one empty word is none', config, { entrypoint: [''], args: ['a'] }, ['a']],
    ['other empty words are arguments', { ...bare, entrypoint: ['a', ''] }, {}, ['a', '', 'cmd', '1']],
  ])('%s', (_, image, options, words) => {
    expect(commandOf(image, options)).toEqual(words);
  });

  test('fails with nothing to run', () => {
    expect(() => commandOf(config, { entrypoint: [] })).toThrow(/no program/);
  });
});

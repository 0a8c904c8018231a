import { describe, expect, test } from 'vitest';
import type { ImageConfig } from '../oci/image.ts';
import { formatAssignments, mergeEnvironment, parseAssignments } from './assignments.mjs';
import { type CommandOptions, commandOf } from './command.ts';
import { OptionError } from './errors.ts';
import { parseSignal } from './signals.ts';
import { parseSize } from './sizes.mjs';

describe('environment', () => {
  test.each([
    ['', []],
    ['A=1', ['A=1']],
    ['A=1,B=2', ['A=1', 'B=2']],
    ['A=,B==,', ['A=', 'B==']],
    ['A=1\\,2,B=\\\\,C=\\n', ['A=1,2', 'B=\\', 'C=\\n']],
    ['A=a b "c"', ['A=a b "c"']],
  ])('%j', (text, assignments) => {
    expect(parseAssignments(text)).toEqual(assignments);
    expect(parseAssignments(formatAssignments(assignments))).toEqual(assignments);
  });

  test.each(['A', '=1', 'A=1,B'])('%j is refused', (text) => {
    expect(() => parseAssignments(text)).toThrow(OptionError);
  });

  test('later assignments replace earlier ones, in place', () => {
    expect(mergeEnvironment(['A=1', 'B=2'], ['C=3', 'A=4'], ['B='])).toEqual(['A=4', 'B=', 'C=3']);
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['512M', 512 << 20],
    ['2g', 2 ** 31],
    ['1.5G', 1.5 * 2 ** 30],
    ['1.3G', 340_787 * 4096],
    ['64k', 65536],
    ['1GiB', 2 ** 30],
    ['10MB', 10 << 20],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'M', '-1', '1X', '1 G', '1e3', '99999999T'])('%j is refused', (text) => {
    expect(() => parseSize(text)).toThrow(OptionError);
  });
});

describe('signals', () => {
  test.each([
    ['SIGTERM', 15],
    ['term', 15],
    ['9', 9],
    ['SIGQUIT', 3],
    ['WINCH', 28],
    ['SIGRTMIN+3', 37],
    ['RTMAX', 64],
    ['SIGSYS', 31],
  ])('%s', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  test.each(['', '0', '65', 'SIGNOTHING', 'RTMAX+1', 'RTMIN-1', '-1'])('%j is refused', (text) => {
    expect(() => parseSignal(text)).toThrow(OptionError);
  });
});

describe('command line, as in Docker', () => {
  const config = { entrypoint: ['entry', '-e'], cmd: ['cmd'] } as unknown as ImageConfig;
  const bare = { entrypoint: [], cmd: ['cmd', '1'] } as unknown as ImageConfig;

  test.each<[string, ImageConfig, CommandOptions, string[]]>([
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

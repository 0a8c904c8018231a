import { describe, expect, it } from 'vitest';
import type { ImageErrorKind } from '../../api/errors.ts';
import type { Failure } from '../machine/messages.ts';
import { explain, explainEnd } from './problem.ts';

describe('explain', () => {
  it.each<[ImageErrorKind, RegExp, string | undefined]>([
    ['reference', /reference is not clear/, 'image'],
    ['not-found', /no such image/, 'image'],
    ['denied', /refuses this image/, 'credentials'],
    ['policy', /server does not allow/, 'image'],
    ['rate-limit', /try again later/, 'credentials'],
    ['platform', /no processor that runs here/, 'image'],
    ['network', /cannot be reached/, undefined],
    ['invalid', /damaged/, 'image'],
  ])('an image error of kind %s', (kind, title, field) => {
    const problem = explain({ name: 'ImageError', kind, message: 'the reason why' });
    expect(problem).toMatchObject({ title: expect.stringMatching(title), text: 'The reason why.' });
    expect(problem.field).toBe(field);
    expect(problem.advice).not.toBe('');
  });

  it.each<[Failure, RegExp]>([
    [{ name: 'StorageFullError', message: 'full' }, /no room/],
    [{ name: 'StorageError', message: 'denied' }, /cannot be used/],
    [{ name: 'OptionError', message: 'no program' }, /cannot run with these options/],
    [{ name: 'MachineError', message: 'it stopped' }, /machine failed/],
    [{ name: 'MachineError', message: 'it stopped', log: 'Out of memory and no killable' }, /enough memory/],
    [{ name: 'MachineError', message: 'it stopped', log: 'System is deadlocked on memory' }, /enough memory/],
    [{ name: 'MachineError', message: 'cannot load http://x/kernel/Image: 404' }, /cannot be loaded/],
    [{ name: 'MachineError', message: 'cannot load http://x/kernel/Image-smp: 404' }, /several CPUs/],
    [{ name: 'PageError', message: 'a module is missing' }, /part of this page cannot be loaded/],
    [{ name: 'NotReadableError', message: 'gone' }, /file cannot be read/],
    [{ name: 'TypeError', message: 'x is undefined' }, /LinuxRun broke/],
  ])('%j', (failure, title) => {
    expect(explain(failure).title).toMatch(title);
  });

  it.each<[Failure, RegExp]>([
    [{ name: 'StateError', message: 'damaged' }, /file is damaged/],
    [{ name: 'VersionError', message: 'another build' }, /saved this file/],
    [{ name: 'SourceError', message: 'no such file' }, /cannot be read/],
    [{ name: 'TypeError', message: 'network error' }, /not arrived/],
    [{ name: 'ImageError', kind: 'denied', message: 'no' }, /refuses this image/],
  ])('of a session from a file, %j', (failure, title) => {
    const problem = explain(failure, true);
    expect(problem.title).toMatch(title);
    // Nothing of it is kept.
    expect(problem.isOver).toBeUndefined();
  });

  it('starts and ends the message as a sentence, except for names', () => {
    const text = (message: string) => explain({ name: 'MachineError', message }).text;
    expect(text('docker.io/library/a does not exist')).toBe('docker.io/library/a does not exist.');
    expect(text('is it there?')).toBe('Is it there?');
  });

  it('keeps the references to use instead', () => {
    const failure = {
      name: 'ImageError',
      kind: 'reference',
      message: 'several',
      choices: ['a', 'b'],
    } as const;
    expect(explain(failure).choices).toEqual(['a', 'b']);
    expect(explain({ ...failure, choices: [] })).not.toHaveProperty('choices');
  });

  it("keeps the kernel's log", () => {
    expect(explain({ name: 'MachineError', message: 'it stopped', log: 'panic' }).log).toBe('panic');
  });
});

describe('explainEnd', () => {
  const OOM = 'LinuxRun: the machine ran out of memory: 2 processes were killed\n';
  it.each([
    [127, 'LinuxRun: /x: not found\n', 'The program cannot start', '/x: not found.', 'entrypoint'],
    [126, 'LinuxRun: /x: not a program\n', 'The program cannot start', '/x: not a program.', 'entrypoint'],
    [125, 'LinuxRun: no disk\n', 'The container cannot be made', 'No disk.', 'disk'],
    [132, 'LinuxRun: a program used it (SIGILL)\n', 'The program needs a newer processor', /SIGILL/, 'image'],
    [137, OOM, 'There was not enough memory', /^The machine ran out of memory: 2 processes/, 'memory'],
    [1, OOM, 'There was not enough memory', /^The machine ran/, 'memory'],
    [127, `${OOM}LinuxRun: more\n`, 'There was not enough memory', /killed\nmore\.$/, 'memory'],
  ])('of status %i with "%s"', (status, messages, title, text, field) => {
    const expected = typeof text === 'string' ? text : expect.stringMatching(text);
    expect(explainEnd(status, messages)).toEqual({
      title,
      text: expected,
      field,
      advice: expect.any(String),
    });
  });

  it.each([
    [0, ''],
    [1, ''],
    [125, ''],
    [126, ''],
    [127, ''],
    [132, ''],
    [0, OOM],
    [3, 'LinuxRun: that is all\n'],
  ])('is no problem of ours with status %i and "%s"', (status, messages) => {
    expect(explainEnd(status, messages)).toBeUndefined();
  });
});

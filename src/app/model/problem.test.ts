import { describe, expect, it } from 'vitest';
import type { ImageErrorKind } from '../../oci/errors.ts';
import type { Failure } from '../machine/messages.ts';
import { explain } from './problem.ts';

describe('explain', () => {
  it.each<[ImageErrorKind, RegExp, string | undefined]>([
    ['reference', /reference is not clear/, 'image'],
    ['not-found', /no such image/, 'image'],
    ['denied', /refuses this image/, 'credentials'],
    ['policy', /server does not allow/, 'image'],
    ['rate-limit', /try again later/, 'credentials'],
    ['platform', /not made for riscv64/, 'image'],
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
    [{ name: 'MachineError', message: 'cannot load http://x/kernel/Image: 404' }, /cannot be loaded/],
    [{ name: 'MachineError', message: 'cannot load http://x/kernel/Image-smp: 404' }, /several CPUs/],
    [{ name: 'NotReadableError', message: 'gone' }, /file cannot be read/],
    [{ name: 'TypeError', message: 'x is undefined' }, /LinuxRun broke/],
  ])('%j', (failure, title) => {
    expect(explain(failure).title).toMatch(title);
  });

  it('starts and ends the message as a sentence, except for names', () => {
    const text = (message: string) => explain({ name: 'MachineError', message }).text;
    expect(text('docker.io/library/a does not exist')).toBe('docker.io/library/a does not exist.');
    expect(text('is it there?')).toBe('Is it there?');
  });

  it("keeps the kernel's log", () => {
    expect(explain({ name: 'MachineError', message: 'it stopped', log: 'panic' }).log).toBe('panic');
  });
});

import { beforeEach, expect, it } from 'vitest';
import { DEFAULT_FORM } from '../model/form.ts';
import type { Problem } from '../model/problem.ts';
import { useForm } from './form.ts';

const PROBLEM: Problem = { title: 'No', text: 'It is not.', advice: 'Change it.', field: 'credentials' };

const state = () => useForm.getState();

beforeEach(() => useForm.setState(useForm.getInitialState(), true));

it('equals the link until it is changed', () => {
  state().follow('?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=A&LINUXRUN_COLOR=red');
  expect(state()).toMatchObject({
    form: { ...DEFAULT_FORM, image: 'alpine' },
    isLink: true,
    linkErrors: { env: expect.stringContaining('"A"') },
    ignoredParameters: ['LINUXRUN_COLOR'],
  });
  state().change({ env: [{ name: 'A', value: '1' }] });
  expect(state()).toMatchObject({ isLink: false, linkErrors: {} });
});

it('opens the options when a link asks for more than an image', () => {
  state().follow('?LINUXRUN_IMAGE=alpine');
  expect(state().areOptionsOpen).toBe(false);
  state().follow('?LINUXRUN_CPUS=2');
  expect(state().areOptionsOpen).toBe(true);
});

it('takes the image and its needs from the catalogue, and keeps the rest', () => {
  state().change({ args: '-c true', cpus: '2', env: [{ name: 'A', value: '1' }] });
  state().choose({ name: 'Go', image: 'golang:alpine', purpose: '', memory: '2G' });
  expect(state().form).toEqual({
    ...DEFAULT_FORM,
    ...{ image: 'golang:alpine', memory: '2G', cpus: '2', env: [{ name: 'A', value: '1' }] },
  });
});

it('names a picked file, unless it is the requested one', () => {
  const local = { kind: 'file', name: 'my image.tar', file: {} as File } as const;
  state().pick(local);
  expect(state().form.image).toBe('file://my image.tar');
  state().change({ image: 'file:///elsewhere/my%20image.tar:web' });
  state().pick(local);
  expect(state().form.image).toBe('file:///elsewhere/my%20image.tar:web');
});

it('shows the field of a problem until something is changed', () => {
  state().follow('?LINUXRUN_IMAGE=alpine');
  state().report(PROBLEM);
  expect(state()).toMatchObject({ problem: PROBLEM, areOptionsOpen: true, isLink: false });
  state().change({ image: 'debian' });
  expect(state().problem).toBeUndefined();
});

it('forgets the wish for a newer image with the image', () => {
  state().wantNewest(true);
  state().change({ memory: '1G' });
  expect(state().wantsNewest).toBe(true);
  state().change({ image: 'debian' });
  expect(state().wantsNewest).toBe(false);
});

it('takes a pasted command, and forgets what it left out at the next change', () => {
  state().paste({ form: { ...DEFAULT_FORM, image: 'alpine', args: 'sh' }, leftOut: ['-p 80:80'] });
  expect(state()).toMatchObject({
    form: { image: 'alpine', args: 'sh' },
    leftOut: ['-p 80:80'],
    areOptionsOpen: true,
  });
  state().change({ args: 'ls' });
  expect(state()).toMatchObject({ form: { image: 'alpine', args: 'ls' }, leftOut: [] });
});

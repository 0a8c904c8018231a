import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FORM, type Form } from './form.ts';
import { readLink, writeLink, writeProjectLink } from './link.ts';

describe('readLink', () => {
  it('fills in every field', () => {
    const query =
      '?LINUXRUN_IMAGE=alpine:3&LINUXRUN_ENTRYPOINT=sh+-c&LINUXRUN_ARGS=%22a+b%22&LINUXRUN_ENV=A=1,B=x%5C,y' +
      '&LINUXRUN_MEMORY=1G&LINUXRUN_CPUS=2&LINUXRUN_DISK=64M&LINUXRUN_INIT=1&LINUXRUN_DEVICES=/dev/fuse' +
      '&LINUXRUN_NETWORK=none&LINUXRUN_WORKDIR=/srv&LINUXRUN_PORTS=8080:80&LINUXRUN_PLATFORM=linux/arm64';
    expect(readLink(query)).toEqual({
      form: {
        image: 'alpine:3',
        entrypoint: 'sh -c',
        args: '"a b"',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'x,y' },
        ],
        workdir: '/srv',
        memory: '1G',
        cpus: '2',
        disk: '64M',
        init: '1',
        devices: '/dev/fuse',
        network: 'none',
        ports: '8080:80',
        platform: 'linux/arm64',
      },
      isLink: true,
      errors: {},
      snapshot: undefined,
      project: undefined,
      ignored: [],
    });
  });

  it('names a saved session, but no container that is kept here', () => {
    expect(readLink('?LINUXRUN_SNAPSHOT=sessions/a.linuxrun&LINUXRUN_NAME=amber-otter')).toMatchObject({
      isLink: true,
      snapshot: 'sessions/a.linuxrun',
      ignored: ['LINUXRUN_NAME'],
    });
  });

  it('names the project of an address', () => {
    const address = 'https://github.com/owner/name';
    expect(readLink(writeProjectLink(address))).toMatchObject({
      isLink: true,
      project: address,
      ignored: [],
    });
  });

  it('keeps the defaults of missing and empty values', () => {
    expect(readLink('?LINUXRUN_CPUS=&utm_source=mail')).toMatchObject({ form: DEFAULT_FORM, isLink: true });
    expect(readLink('?q=1')).toMatchObject({ form: DEFAULT_FORM, isLink: false });
  });

  it('keeps an empty image, so that it is reported', () => {
    expect(readLink('?LINUXRUN_IMAGE=').form.image).toBe('');
  });

  it('keeps invalid values for the form to explain', () => {
    expect(readLink('?LINUXRUN_MEMORY=plenty').form.memory).toBe('plenty');
  });

  it('reports variables that cannot be put into rows', () => {
    const { form, errors } = readLink('?LINUXRUN_IMAGE=a&LINUXRUN_ENV=A');
    expect(errors.env).toMatch(/LINUXRUN_ENV: "A" is no NAME=value/);
    expect(form).toEqual({ ...DEFAULT_FORM, image: 'a' });
  });

  it('names unsupported parameters, such as passwords', () => {
    const query = '?LINUXRUN_REGISTRY_PASSWORD=x&LINUXRUN_IMAGE=a&LINUXRUN_toString=1';
    expect(readLink(query)).toMatchObject({
      form: { image: 'a' },
      ignored: ['LINUXRUN_REGISTRY_PASSWORD', 'LINUXRUN_toString'],
    });
  });
});

it('lets no link choose the relay, which sees all traffic', () => {
  const query = '?LINUXRUN_IMAGE=a&LINUXRUN_RELAY=wss://evil.example&LINUXRUN_NETWORK=none';
  const { form, ignored } = readLink(query);
  expect(form).toEqual({ ...DEFAULT_FORM, image: 'a', network: 'none' });
  expect(ignored).toEqual(['LINUXRUN_RELAY']);
  expect(writeLink(form, { withValues: true })).toBe('?LINUXRUN_IMAGE=a&LINUXRUN_NETWORK=none');
});

describe('writeLink', () => {
  it('contains only values that differ from the defaults', () => {
    expect(writeLink({ ...DEFAULT_FORM, image: 'ghcr.io/a/b:1', cpus: '2' }, { withValues: false })).toBe(
      '?LINUXRUN_IMAGE=ghcr.io/a/b:1&LINUXRUN_CPUS=2',
    );
  });

  it('contains the names of variables, and their values only on request', () => {
    const env = [
      { name: 'TOKEN', value: 'secret' },
      { name: 'LIST', value: 'a,b' },
      { name: '', value: 'no name' },
    ];
    const form = { ...DEFAULT_FORM, image: 'alpine', env };
    expect(writeLink(form, { withValues: false })).toBe('?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=TOKEN=,LIST=');
    expect(writeLink(form, { withValues: true })).toBe(
      '?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=TOKEN=secret,LIST=a%5C,b',
    );
    expect(readLink(writeLink(form, { withValues: false })).form.env).toEqual([
      { name: 'TOKEN', value: '' },
      { name: 'LIST', value: '' },
    ]);
  });

  it('takes no value from a name, where NAME=value may be pasted', () => {
    const form = { ...DEFAULT_FORM, image: 'alpine', env: [{ name: 'TOKEN=secret', value: '' }] };
    expect(writeLink(form, { withValues: false })).toBe('?LINUXRUN_IMAGE=alpine&LINUXRUN_ENV=TOKEN=');
  });

  it('makes links that give the same form again', () => {
    const text = fc.string({ unit: 'grapheme' }).map((value) => value.trim().replace(/\s+/g, ' '));
    const filled = text.map((value) => value || 'x');
    const form: fc.Arbitrary<Form> = fc.record({
      image: filled,
      platform: text,
      entrypoint: text,
      args: text,
      env: fc.array(fc.record({ name: fc.stringMatching(/^[A-Z_][A-Z0-9_]*$/), value: text })),
      memory: filled,
      cpus: filled,
      disk: filled,
      init: fc.constantFrom('', '1'),
      workdir: text,
      devices: text,
      network: fc.constantFrom('', 'none'),
      ports: text,
    });
    fc.assert(
      fc.property(form, (given) => {
        expect(readLink(writeLink(given, { withValues: true }))).toMatchObject({
          form: given,
          errors: {},
          ignored: [],
        });
      }),
    );
  });
});

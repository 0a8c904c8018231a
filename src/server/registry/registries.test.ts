import { describe, expect, it } from 'vitest';
import { readProxyOptions } from './options.ts';
import { DEFAULT_REGISTRIES, Registries } from './registries.ts';

describe('Registries', () => {
  it('allows the public ones by default', () => {
    const registries = new Registries(DEFAULT_REGISTRIES);
    for (const host of [
      'registry-1.docker.io',
      'ghcr.io',
      'quay.io',
      'mirror.gcr.io',
      'europe-west1-docker.pkg.dev',
    ])
      expect(registries.has(host)).toBe(true);
    for (const host of [
      'localhost',
      '127.0.0.1:5000',
      'evil.com',
      'ghcr.io:8443',
      'ghcr.io.evil.com',
      'evil-gcr.io',
    ])
      expect(registries.has(host)).toBe(false);
  });

  it('accepts hosts with and without ports, and domains', () => {
    const registries = new Registries(['a.example:5000', '*.b.example', '[2606:4700::1111]:5000']);
    expect(registries.has('a.example:5000')).toBe(true);
    expect(registries.has('a.example')).toBe(false);
    expect(registries.has('x.y.b.example')).toBe(true);
    expect(registries.has('b.example')).toBe(false);
    expect(registries.has('x.b.example:444')).toBe(false);
    expect(registries.has('[2606:4700::1111]:5000')).toBe(true);
  });

  it.each([
    '',
    'https://a.example',
    'a.example/path',
    '*',
    '*.com',
    'a.*.example',
    'a b',
    'a=b=c',
    'a=',
    'u@a.example',
  ])('refuses "%s"', (entry) => expect(() => new Registries([entry])).toThrow(/is not a registry/));

  it('lets passwords go to the registry and its token service only', () => {
    const registries = new Registries(['docker.io=auth.docker.io', 'ghcr.io', '*.r.example=auth.r.example']);
    expect(registries.mayGetPassword('auth.docker.io', 'registry-1.docker.io')).toBe(true);
    expect(registries.mayGetPassword('ghcr.io', 'ghcr.io')).toBe(true);
    expect(registries.mayGetPassword('auth.r.example', 'x.r.example')).toBe(true);
    expect(registries.mayGetPassword('auth.docker.io', 'ghcr.io')).toBe(false);
    expect(registries.mayGetPassword('ghcr.io', 'registry-1.docker.io')).toBe(false);
    expect(registries.mayGetPassword('evil.com', 'evil.com')).toBe(false);
  });
});

describe('readProxyOptions', () => {
  it('has defaults', () => {
    expect(readProxyOptions({}, '/cache')).toEqual({
      registries: DEFAULT_REGISTRIES,
      cache: { folder: '/cache/registry', capacity: 4 * 2 ** 30 },
      trustProxy: false,
    });
  });

  it('reads variables', () => {
    const variables = {
      LINUXRUN_REGISTRIES: 'default, r.example=auth.example',
      LINUXRUN_REGISTRY_MIRROR: 'mirror.example/',
      LINUXRUN_REGISTRY_CACHE: '/elsewhere',
      LINUXRUN_REGISTRY_CACHE_SIZE: '500M',
      LINUXRUN_TRUST_PROXY: '1',
    };
    expect(readProxyOptions(variables, '/cache')).toEqual({
      registries: [...DEFAULT_REGISTRIES, 'r.example=auth.example'],
      mirror: 'https://mirror.example',
      cache: { folder: '/elsewhere', capacity: 500 * 2 ** 20 },
      trustProxy: true,
    });
    expect(readProxyOptions({ LINUXRUN_REGISTRY_CACHE_SIZE: '0' }, '/cache').cache).toBeUndefined();
    expect(readProxyOptions({ LINUXRUN_REGISTRIES: '' }, '/cache').registries).toEqual(DEFAULT_REGISTRIES);
  });

  it.each([
    { LINUXRUN_REGISTRY_CACHE_SIZE: '4 GB' },
    { LINUXRUN_TRUST_PROXY: 'yes' },
    { LINUXRUN_REGISTRIES: 'default,https://r.example' },
    { LINUXRUN_REGISTRY_MIRROR: 'https://mirror.example/hub' },
  ])('refuses %j', (variables) => {
    const [name = ''] = Object.keys(variables);
    expect(() => readProxyOptions(variables, '/cache')).toThrow(new RegExp(`^${name}: "`));
  });
});

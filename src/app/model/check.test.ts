import { describe, expect, it } from 'vitest';
import { checkForm } from './check.ts';
import { DEFAULT_FORM, type Field, type Form } from './form.ts';

const check = (change: Partial<Form>) => checkForm({ ...DEFAULT_FORM, ...change });

describe('checkForm', () => {
  it('accepts the initial form', () => {
    expect(check({}).wish).toEqual({
      reference: { scheme: 'oci', path: 'images', image: { name: 'busybox', digest: undefined } },
      entrypoint: undefined,
      args: undefined,
      env: [],
      memoryBytes: 2 ** 29,
      cpus: 1,
      diskBytes: 2 ** 30,
      init: false,
      hasNetwork: true,
      devices: [],
      ports: [],
    });
  });

  it('reads published ports', () => {
    expect(check({ ports: '8080:80' }).wish?.ports).toMatchObject([{ host: 8080, container: 80 }]);
  });

  it('takes absolute working directories only', () => {
    expect(check({ workdir: ' /srv/a ' }).wish?.workdir).toBe('/srv/a');
    expect(check({}).wish?.workdir).toBeUndefined();
    expect(check({ workdir: 'srv' }).errors?.workdir).toMatch(/"srv" is no working directory/);
  });

  it('takes the most memory there is for 4G', () => {
    const { memoryBytes = 0 } = check({ memory: '4G', cpus: '8' }).wish ?? {};
    expect(memoryBytes / 2 ** 20).toBeGreaterThan(3072);
    expect(memoryBytes).toBeLessThan(2 ** 32);
  });

  it('reads commands as a shell does, and ignores empty rows', () => {
    const env = [
      { name: 'A', value: 'b c' },
      { name: '', value: '' },
      { name: 'EMPTY', value: '' },
    ];
    expect(check({ entrypoint: 'sh -c', args: "'echo $A'", env }).wish).toMatchObject({
      entrypoint: ['sh', '-c'],
      args: ['echo $A'],
      env: ['A=b c', 'EMPTY='],
    });
  });

  it('reads devices', () => {
    expect(check({ devices: '/dev/fuse, /dev/net/tun' }).wish?.devices).toEqual([
      '/dev/fuse',
      '/dev/net/tun',
    ]);
  });

  it('reads whether there is a network', () => {
    expect(check({ network: 'none' }).wish?.hasNetwork).toBe(false);
  });

  it('reads whether there is an init', () => {
    expect(check({ init: '1' }).wish?.init).toBe(true);
  });

  it.each<[Field, Partial<Form>, RegExp]>([
    ['image', { image: '' }, /empty/],
    ['image', { image: 'Alpine' }, /lower case/],
    ['image', { image: 'ftp://a' }, /docker:\/\/, oci:\/\/ or file:\/\//],
    ['entrypoint', { entrypoint: 'sh -c "' }, /quote/],
    ['args', { args: 'a\\' }, /backslash/],
    ['env', { env: [{ name: '', value: 'x' }] }, /"x" has no name/],
    ['env', { env: [{ name: 'A=B', value: 'x' }] }, /no =/],
    ['network', { network: 'host' }, /none, the only value/],
    ['memory', { memory: 'plenty' }, /no size/],
    ['memory', { memory: '' }, /no size/],
    ['memory', { memory: '1M' }, /too little/],
    ['memory', { memory: '9G' }, /too much/],
    ['cpus', { cpus: '99' }, /1 to 8/],
    ['cpus', { cpus: '0' }, /1 to 8/],
    ['cpus', { cpus: '1.5' }, /whole number/],
    ['cpus', { cpus: '' }, /whole number/],
    ['cpus', { cpus: 'two' }, /whole number/],
    ['ports', { ports: '53:53/udp' }, /only TCP ports/],
    ['devices', { devices: '/dev/sda' }, /no device "\/dev\/sda" to give: name \/dev\/fuse or/],
    ['init', { init: 'yes' }, /neither 1 \(on\) nor 0/],
    ['disk', { disk: '1K' }, /16M to 64G/],
    ['disk', { disk: '1P' }, /no size/],
  ])('explains %s of %j', (field, change, message) => {
    const { wish, errors } = check(change);
    expect(wish).toBeUndefined();
    expect(errors).toEqual({ [field]: expect.stringMatching(message) });
  });

  it('explains everything at once', () => {
    const { errors } = check({ image: '', cpus: 'x', memory: 'x', disk: 'x' });
    expect(Object.keys(errors ?? {}).sort()).toEqual(['cpus', 'disk', 'image', 'memory']);
  });
});

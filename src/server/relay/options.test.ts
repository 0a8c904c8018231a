import { describe, expect, test } from 'vitest';
import { readRelayOptions } from './options.ts';

const SECRET = '0123456789abcdef';

describe('the relay', () => {
  test.each([
    [{}],
    [{ LINUXRUN_RELAY: '' }],
    [{ LINUXRUN_RELAY: 'on' }],
    [{ LINUXRUN_RELAY: 'on', LINUXRUN_HOSTS: 'run.example.com' }],
    [{ LINUXRUN_RELAY: 'on', LINUXRUN_TRUST_PROXY: '1', LINUXRUN_RELAY_SECRET: SECRET }],
    [{ LINUXRUN_TRUST_PROXY: '0' }],
  ])('%j: is on, and gives tokens', (variables) => {
    expect(readRelayOptions(variables)).toMatchObject({ givesNoTokens: false });
  });

  test.each([
    [{ LINUXRUN_RELAY: 'off' }],
    [{ LINUXRUN_RELAY: 'off', LINUXRUN_RELAY_SECRET: SECRET }],
    [{ LINUXRUN_HOSTS: 'run.example.com' }],
    [{ LINUXRUN_TRUST_PROXY: '1' }],
  ])('%j: is off', (variables) => {
    expect(readRelayOptions(variables)).toBeUndefined();
  });

  test('only a public server limits the rate to that of strangers', () => {
    expect(readRelayOptions({})?.limits?.bytesPerSecond).toBe(128 << 20);
    expect(readRelayOptions({ LINUXRUN_RELAY: 'on', LINUXRUN_HOSTS: 'a.example' })?.limits).toEqual({});
  });

  test('a public server with a secret takes tokens that others give', () => {
    const variables = { LINUXRUN_HOSTS: 'run.example.com', LINUXRUN_RELAY_SECRET: SECRET };
    expect(readRelayOptions(variables)).toMatchObject({
      ...{ givesNoTokens: true, secret: SECRET, hosts: ['run.example.com'], trustProxy: false },
    });
  });
});

test('LINUXRUN_RELAY_DENY denies addresses and networks', () => {
  const isDenied = readRelayOptions({
    LINUXRUN_RELAY_DENY: '93.184.216.0/24, 8.8.8.8,2606:4700::/32',
  })?.isDenied;
  const all = ['93.184.216.34', '8.8.8.8', '2606:4700::1111', '8.8.8.9', '93.184.217.0', '2606:4701::1'];
  expect(all.filter((address) => isDenied?.(address))).toEqual(all.slice(0, 3));
  expect(readRelayOptions({})?.isDenied).toBeUndefined();
  expect(readRelayOptions({ LINUXRUN_RELAY_DENY: '0.0.0.0/0' })?.isDenied?.('1.1.1.1')).toBe(true);
});

test.each([
  [{ LINUXRUN_RELAY: 'yes' }, /LINUXRUN_RELAY: "yes" is neither on nor off/],
  [{ LINUXRUN_RELAY: 'wss://relay.example.com' }, /neither on nor off; a server is its own relay/],
  [{ LINUXRUN_RELAY_SECRET: 'too short' }, /fewer than 16 bytes.*openssl rand/],
  [{ LINUXRUN_RELAY: 'off', LINUXRUN_RELAY_SECRET: 'x' }, /fewer than 16 bytes/],
  [{ LINUXRUN_RELAY_DENY: 'example.com' }, /"example.com" is neither an address nor a network/],
  [{ LINUXRUN_RELAY_DENY: '10.0.0.0/33' }, /neither an address nor/],
  [{ LINUXRUN_RELAY_DENY: '10.0.0.0/' }, /neither an address nor/],
  [{ LINUXRUN_RELAY_DENY: '::1/129' }, /neither an address nor/],
  [{ LINUXRUN_RELAY_DENY: '1.1.1.1/8/8' }, /neither an address nor/],
])('%j is refused at the start', (variables, message) => {
  expect(() => readRelayOptions(variables)).toThrow(message);
});

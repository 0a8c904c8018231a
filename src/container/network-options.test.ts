import { describe, expect, test } from 'vitest';
import { OptionError } from './errors.ts';
import { parseNetwork, parseRelay } from './network.mjs';
import { networkNotice } from './network-notice.ts';

describe('LINUXRUN_RELAY', () => {
  test.each([
    ['on', 'on'],
    ['off', 'off'],
    ['wss://relay.example.com', 'wss://relay.example.com/'],
    ['wss://relay.example.com:8443/path?room=1', 'wss://relay.example.com:8443/path?room=1'],
    ['ws://localhost:8080/', 'ws://localhost:8080/'],
    ['ws://127.0.0.1:8080/relay', 'ws://127.0.0.1:8080/relay'],
  ])('%s', (text, relay) => expect(parseRelay(text)).toBe(relay));

  test.each([
    ['yes', /neither on, off/],
    ['https://relay.example.com', /neither on, off/],
    ['relay.example.com', /neither on, off/],
    ['wss://', /neither on, off/],
    ['ws://relay.example.com', /wss:/],
    ['ws://127.0.0.1.example.com', /wss:/],
    ['wss://me:secret@relay.example.com', /password/],
    ['wss://relay.example.com/#a', /#/],
  ])('%s is refused', (text, message) => {
    expect(() => parseRelay(text)).toThrow(OptionError);
    expect(() => parseRelay(text)).toThrow(message);
  });
});

test('LINUXRUN_NETWORK is none or unset', () => {
  expect(parseNetwork('none')).toBe('none');
  expect(() => parseNetwork('host')).toThrow(OptionError);
});

test('users hear of a network that is down, or that a program has missed', () => {
  const counts = { received: 0, sent: 0 };
  const reason = 'It is switched off';
  expect(networkNotice({ state: 'up', ...counts })).toBeUndefined();
  expect(networkNotice({ state: 'off', reason, ...counts })).toBeUndefined();
  expect(networkNotice({ state: 'off', reason, isMissed: true, ...counts })).toBe(
    'There is no network. It is switched off.',
  );
  expect(networkNotice({ state: 'down', reason, ...counts })).toBe(
    'The network is down. It is switched off.',
  );
});

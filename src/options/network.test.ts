import { describe, expect, test } from 'vitest';
import { parseNetwork, parseRelay } from './network.mjs';
import { OptionError } from './option-error.mjs';

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

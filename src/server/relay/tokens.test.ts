import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Tokens } from './tokens.ts';

const PAGE = { client: '192.0.2.7', origin: 'https://run.example.com' };
const SECRET = 'a secret of several relays';

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

describe('a token', () => {
  test('is good once', () => {
    const tokens = new Tokens();
    const token = tokens.issue(PAGE);
    const use = tokens.check(token, PAGE);
    expect(tokens.check(token, PAGE)).toBeDefined();
    use?.();
    expect(use).toBeDefined();
    expect(tokens.check(token, PAGE)).toBeUndefined();
  });

  test('is good for a minute', () => {
    const tokens = new Tokens();
    const token = tokens.issue(PAGE);
    vi.advanceTimersByTime(59_000);
    expect(tokens.check(token, PAGE)).toBeDefined();
    vi.advanceTimersByTime(1000);
    expect(tokens.check(token, PAGE)).toBeUndefined();
  });

  test('stays used for as long as it would be good', () => {
    const tokens = new Tokens();
    const token = tokens.issue(PAGE);
    tokens.check(token, PAGE)?.();
    for (let second = 0; second < 59; second++) {
      vi.advanceTimersByTime(1000);
      tokens.check(tokens.issue(PAGE), PAGE)?.();
      expect(tokens.check(token, PAGE)).toBeUndefined();
    }
  });

  test('is good for one client and one origin', () => {
    const tokens = new Tokens();
    const token = tokens.issue(PAGE);
    for (const other of [
      { ...PAGE, client: '192.0.2.8' },
      { ...PAGE, origin: '' },
      { ...PAGE, origin: 'http://run.example.com' },
      { client: `${PAGE.client}\n${PAGE.origin}`, origin: '' },
    ])
      expect(tokens.check(token, other)).toBeUndefined();
  });

  test('cannot be changed', () => {
    const tokens = new Tokens();
    const token = tokens.issue(PAGE);
    for (let at = 0; at < token.length; at++) {
      const changed = `${token.slice(0, at)}${token[at] === '1' ? '2' : '1'}${token.slice(at + 1)}`;
      expect(tokens.check(changed, PAGE)).toBeUndefined();
    }
    for (const text of ['', '.', '..', token.slice(0, -1), `${token}A`, token.replace('.', ':')])
      expect(tokens.check(text, PAGE)).toBeUndefined();
  });
});

describe('several relays', () => {
  test('take tokens of each other if they have the same secret', () => {
    const token = new Tokens(SECRET).issue(PAGE);
    expect(new Tokens(SECRET).check(token, PAGE)).toBeDefined();
    expect(new Tokens(`${SECRET}!`).check(token, PAGE)).toBeUndefined();
    expect(new Tokens().check(new Tokens().issue(PAGE), PAGE)).toBeUndefined();
  });

  test('take tokens made elsewhere as the documentation says, for a minute at most', () => {
    const make = (seconds: number) => {
      const expiry = Math.floor(Date.now() / 1000) + seconds;
      const nonce = '0123456789abcdef0123456789abcdef';
      const text = `linuxrun.relay.1\n${expiry}\n${nonce}\n${PAGE.client}\n${PAGE.origin}`;
      return `${expiry}.${nonce}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
    };
    expect(new Tokens(SECRET).check(make(60), PAGE)).toBeDefined();
    expect(new Tokens(SECRET).check(make(3600), PAGE)).toBeUndefined();
  });
});

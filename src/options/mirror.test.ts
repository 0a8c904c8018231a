import { describe, expect, test } from 'vitest';
import { parseMirror } from './mirror.mjs';

describe('a mirror', () => {
  test.each([
    ['https://mirror.example.com', 'https://mirror.example.com'],
    ['https://mirror.example.com/', 'https://mirror.example.com'],
    ['http://10.0.0.5:5000', 'http://10.0.0.5:5000'],
    ['mirror.example.com:5000', 'https://mirror.example.com:5000'],
    [' 127.0.0.1:5000 ', 'http://127.0.0.1:5000'],
    ['localhost:5000', 'http://localhost:5000'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['localhost.example.com', 'https://localhost.example.com'],
  ])('%s is at %s', (text, origin) => {
    expect(parseMirror(text)).toBe(origin);
  });

  test.each([
    ['', 'not the address'],
    ['https://', 'not the address'],
    ['ftp://mirror.example.com', 'not the address'],
    ['a mirror', 'not the address'],
    ['https://mirror.example.com/v2/', 'write https://mirror.example.com'],
    ['mirror.example.com/hub', 'write https://mirror.example.com'],
    ['https://mirror.example.com?a=b', 'write https://mirror.example.com'],
    ['https://user:secret@mirror.example.com', 'without an account'],
  ])('%j is none', (text, why) => {
    expect(() => parseMirror(text)).toThrow(why);
  });

  test('an error does not repeat a password', () => {
    expect(() => parseMirror('https://user:secret@mirror.example.com')).not.toThrow('secret');
  });
});

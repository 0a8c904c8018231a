import { expect, it } from 'vitest';
import { toPath } from './preview-path.ts';

it.each([
  ['', '/'],
  ['/a/b?c#d', '/a/b?c#d'],
  ['a/b', '/a/b'],
  [' ?q=1 ', '/?q=1'],
  ['localhost:8000/a', '/a'],
  ['http://127.0.0.1:8000', '/'],
  ['https://[::1]/x', '/x'],
  ['localhost.html', '/localhost.html'],
  ['https://evil.example/', '/https://evil.example/'],
  ['//evil.example', '//evil.example'],
])('the path of "%s" is %s', (text, path) => expect(toPath(text)).toBe(path));

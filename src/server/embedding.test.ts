import { describe, expect, it } from 'vitest';
import { createApp } from './app.ts';
import { readEmbedOrigins } from './embedding.ts';

const read = (value?: string) => readEmbedOrigins({ LINUXRUN_EMBED_ORIGINS: value });

describe('the origins that may frame the page', () => {
  it('are none by default', () => expect(read()).toEqual([]));
  it('are separated by commas', () =>
    expect(read('https://a.example, http://localhost:3000')).toEqual([
      'https://a.example',
      'http://localhost:3000',
    ]));
  it.each(['*', 'a.example', 'https://a.example/', 'https://*.a.example', "https://a.example;script-src'*'"])(
    'are not %s',
    (value) => expect(() => read(value)).toThrow(/LINUXRUN_EMBED_ORIGINS: ".*" is no origin/),
  );
});

describe('the answer of the server', () => {
  const headersOf = async (path: string, embedOrigins: string[]) =>
    (await createApp([], { embedOrigins }).request(path)).headers;

  it('may be framed by these origins only as an embedded page', async () => {
    for (const path of ['/?embed=1', '/index.html?LINUXRUN_IMAGE=a&embed=1']) {
      const headers = await headersOf(path, ['https://a.example', 'https://b.example']);
      expect(headers.get('Content-Security-Policy')).toMatch(
        /; frame-ancestors https:\/\/a\.example https:\/\/b\.example$/,
      );
      expect(headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin');
    }
  });

  it.each(['/', '/?embed=0', '/?EMBED=1', '/docs/?embed=1', '/assets/a.js?embed=1'])(
    'may not be framed at %s',
    async (path) => {
      const headers = await headersOf(path, ['https://a.example']);
      expect(headers.get('Content-Security-Policy')).toMatch(/; frame-ancestors 'none'$/);
      expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
    },
  );

  it('may not be framed by anyone without the variable', async () => {
    const headers = await headersOf('/?embed=1', []);
    expect(headers.get('Content-Security-Policy')).toMatch(/; frame-ancestors 'none'$/);
    expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
  });
});

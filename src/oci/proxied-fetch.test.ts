import { afterEach, beforeEach, expect, it } from 'vitest';
import { ImageError } from './errors.ts';
import { type FetchOptions, TransientError } from './http.ts';
import { PROXY_HEADER, proxiedFetch } from './proxied-fetch.ts';
import { FakeRegistry } from './testing/fake-registry.ts';

let server: FakeRegistry;

beforeEach(async () => {
  server = await FakeRegistry.start();
});
afterEach(() => server.stop());

const options = (headers: Record<string, string> = {}): FetchOptions => ({
  headers,
  signal: new AbortController().signal,
});

it('goes through a proxy', async () => {
  server.intercept = (request, response) => {
    const { range, authorization, 'registry-authorization': credentials } = request.headers;
    response.setHeader(PROXY_HEADER, 'registry/2.0');
    response.end([request.url, range, authorization, credentials].join(' '));
    return true;
  };
  const fetch = proxiedFetch(`http://${server.host}/registry/`);
  const response = await fetch(
    'https://ghcr.io:444/v2/a/b/manifests/latest?x=1&y=%2F',
    options({ range: 'bytes=1-', authorization: 'Basic eDp5' }),
  );
  expect(await new Response(response.body).text()).toBe(
    '/registry/ghcr.io:444/v2/a/b/manifests/latest?x=1&y=%2F bytes=1-  Basic eDp5',
  );
});

it.each([404, 200])('asks the registry itself when a static host answers %s', async (status) => {
  const registry = await FakeRegistry.start();
  registry.intercept = (request, response) => {
    response.end(request.headers.authorization);
    return true;
  };
  server.intercept = (_, response) => {
    response.writeHead(status).end('<!doctype html>');
    return true;
  };
  const fetch = proxiedFetch(`http://${server.host}/registry/`);
  const url = `http://${registry.host}/v2/a/manifests/b`;
  for (let times = 0; times < 2; times++) {
    const response = await fetch(url, options({ authorization: 'Basic eDp5' }));
    expect(await new Response(response.body).text()).toBe('Basic eDp5');
  }
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]?.authorization).toBeUndefined();

  await registry.stop();
  const failure = await fetch(url, options()).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TransientError);
});

it('gives advice when the registry does not allow pages to read', async () => {
  server.intercept = (_, response) => {
    response.writeHead(404).end();
    return true;
  };
  const fetch = proxiedFetch(`http://${server.host}/registry/`);
  const failure = await fetch('http://127.0.0.1:1/v2/a/manifests/b', options()).catch((error) => error);
  expect(failure).toBeInstanceOf(ImageError);
  expect(failure).not.toBeInstanceOf(TransientError);
  expect(failure.message).toMatch(/127\.0\.0\.1:1 .*npm start.*open the file/);
});

it('names the page’s server when that is unreachable', async () => {
  const fetch = proxiedFetch('http://127.0.0.1:1/registry/');
  const failure = await fetch('https://ghcr.io/v2/a/manifests/b', options()).catch((error) => error);
  expect(failure).toBeInstanceOf(TransientError);
  expect(failure.message).toMatch(/127\.0\.0\.1:1, the server of this page.*still running/);
});

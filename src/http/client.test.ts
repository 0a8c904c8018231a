import { createServer, type RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { HttpClient } from './client.ts';
import { toResponse } from './response.ts';
import { connectLocally, listen } from './testing/connect.ts';

const clients: HttpClient[] = [];

function newClient(connect = connectLocally): HttpClient {
  const client = new HttpClient(connect);
  clients.push(client);
  return client;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

const serve = (listener: RequestListener) => listen(createServer(listener));

test('a GET has status, headers and body of the server', async () => {
  await using server = await serve((request, response) => {
    response.writeHead(201, 'Made', { 'X-Path': request.url, 'X-Host': request.headers.host });
    response.end('hello');
  });
  const url = `${server.url}/a%20b?c=%22`;
  const response = toResponse(await newClient().request(new Request(url)));
  expect(response.status).toBe(201);
  expect(response.statusText).toBe('Made');
  expect(response.headers.get('x-path')).toBe('/a%20b?c=%22');
  expect(response.headers.get('x-host')).toBe(`localhost:${server.port}`);
  expect(await response.text()).toBe('hello');
});

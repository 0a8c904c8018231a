import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { explainFailure } from './node-failure.ts';
import { nodeFetch } from './node-fetch.ts';

const reasonFor = (url: string) =>
  nodeFetch(url, { headers: {}, signal: AbortSignal.timeout(20_000) }).then(
    () => 'none',
    (error) => (error as Error).message,
  );

describe('a connection that fails', () => {
  test('is refused', async () => {
    expect(await reasonFor('http://127.0.0.1:9/')).toBe('the connection is refused (ECONNREFUSED)');
    expect(await reasonFor('http://localhost:9/')).toBe('the connection is refused (ECONNREFUSED)');
  });

  test('goes to no host', async () => {
    // A name with so long a part is none, which the system knows without a name server.
    const name = `${'x'.repeat(64)}.invalid`;
    expect(await reasonFor(`https://${name}/`)).toBe('there is no host of this name (ENOTFOUND)');
  });

  test('meets no TLS', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      expect(await reasonFor(`https://127.0.0.1:${port}/`)).toMatch(/^it does not speak TLS/);
    } finally {
      server.close();
    }
  });
});

test.each([
  ['EAI_AGAIN', /looked up \(DNS\).*\(EAI_AGAIN\)$/],
  ['CERT_HAS_EXPIRED', /expired \(CERT_HAS_EXPIRED\)$/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /NODE_EXTRA_CA_CERTS=FILE/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS=FILE/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /NODE_EXTRA_CA_CERTS=FILE/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name/],
])('%s', (code, message) => {
  const error = Object.assign(new Error('low-level'), { code });
  expect(explainFailure(error)).toMatchObject({ message: expect.stringMatching(message), cause: error });
});

test('other errors stay as they are', () => {
  const error = Object.assign(new Error('what'), { code: 'ESTRANGE' });
  expect(explainFailure(error)).toBe(error);
});

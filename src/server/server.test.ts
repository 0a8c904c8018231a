import { request } from 'node:http';
import { expect, it } from 'vitest';
import { startServer } from './server.ts';

it('answers requests with all the cookies that a preview can set for the page', async () => {
  const server = await startServer([], 0);
  const Cookie = Array.from({ length: 180 }, (_, i) => `c${i}=${'x'.repeat(4096)}`).join('; ');
  const status = await new Promise((resolve, reject) => {
    request(`${server.url}missing`, { headers: { Cookie } }, (answer) => resolve(answer.statusCode))
      .on('error', reject)
      .end();
  });
  expect(status).toBe(404);
  await server.close();
});

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProxiedResponse } from '../http/response.ts';
import { openWebSocket } from '../http/websocket.ts';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start } from './testing/run.ts';

const TIMEOUT = 240_000;
const PORT = 8000;
const URL_OF_SERVER = `http://localhost:${PORT}`;
/** The server accepts local connections only. Programs behind CGI write heads with bare line feeds. */
const SERVER = `mkdir -p /www/cgi-bin && cd /www && echo '<h1>hello</h1>' > index.html
  cat > cgi-bin/digest <<'EOF'
#!/bin/sh
printf 'Content-Type: text/plain\\nSet-Cookie: length=%s; Path=/\\n\\n' "$CONTENT_LENGTH"
sha256sum | cut -d ' ' -f 1
EOF
  cat > cgi-bin/slow <<'EOF'
#!/bin/sh
printf 'Content-Type: text/event-stream\\n\\ndata: first\\n\\n'
until [ -e /go ]; do usleep 20000; done
printf 'data: second\\n\\n'
EOF
  cat > cgi-bin/endless <<'EOF'
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
exec yes
EOF
  chmod +x cgi-bin/*
  exec httpd -f -p 127.0.0.1:${PORT} -h /www`;

let container: ContainerMachine;

beforeAll(async () => {
  container = await start({ image: pull(`${DEMO_IMAGES}:busybox`), args: ['sh', '-c', SERVER] });
  const ports = container.ports.getReader();
  while ((await ports.read()).value?.port !== PORT);
  await ports.cancel();
}, TIMEOUT);
afterAll(() => container?.destroy());

const request = (path: string, init?: RequestInit): Promise<ProxiedResponse> =>
  container.proxyRequest(new Request(URL_OF_SERVER + path, init));

/** The number of programs that answer without end. */
async function endless(): Promise<string> {
  const { stdout, stderr } = container.exec({ args: ['sh', '-c', "ps | grep -c '[e]ndless'"] });
  const [count] = await Promise.all([new Response(stdout).text(), stderr.cancel()]);
  return count.trim();
}

describe('a request to a server in a container', { timeout: TIMEOUT }, () => {
  test('gets a page, a part of it, its head, or an error', async () => {
    const page = await request('/');
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      expect.stringContaining('text/html'),
      '<h1>hello</h1>\n',
    ]);
    const part = await request('/', { headers: { Range: 'bytes=4-8' } });
    expect([part.status, await part.text()]).toEqual([206, 'hello']);
    const head = await request('/', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, '15', null]);
    expect((await request('/missing')).status).toBe(404);
  });

  test('finds the server by a port beside the URL', async () => {
    const response = await container.proxyRequest(new Request('http://site.example/'), { port: PORT });
    expect(await response.text()).toBe('<h1>hello</h1>\n');
  });

  test('uploads of any size arrive', async () => {
    for (const length of [1, 60_000, 1_000_000]) {
      const body = Uint8Array.from({ length }, (_, index) => index % 251);
      const digest = createHash('sha256').update(body).digest('hex');
      const headers = { 'Content-Length': `${length}` };
      const response = await request('/cgi-bin/digest', { method: 'POST', body, headers });
      expect(await response.text()).toBe(`${digest}\n`);
      expect(response.setCookies).toEqual([`length=${length}; Path=/`]);
    }
  });

  test('an answer arrives as it is made', async () => {
    const response = await request('/cgi-bin/slow');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: first\n\n');
    await container.files.writeFile('/go', new Uint8Array());
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: second\n\n');
    expect((await reader.read()).done).toBe(true);
  });

  test('an endless answer ends with its reader', async () => {
    const controller = new AbortController();
    const response = await request('/cgi-bin/endless', { signal: controller.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect(await endless()).toBe('1');
    controller.abort(new Error('enough'));
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow('enough');
    await expect.poll(() => endless()).toBe('0');
  });

  test('many requests at once are answered', async () => {
    const pages = await Promise.all(Array.from({ length: 40 }, async () => (await request('/')).text()));
    expect(new Set(pages)).toEqual(new Set(['<h1>hello</h1>\n']));
  });

  test('is refused where nothing listens', async () => {
    await expect(container.proxyRequest(new Request('http://localhost/'))).rejects.toMatchObject({
      name: 'ConnectError',
      message: 'port 80: connection refused',
    });
    const connect = (port: number) => container.connect(port);
    await expect(openWebSocket(connect, `ws://localhost:${PORT}/`)).rejects.toThrow(
      'answered 200 OK instead',
    );
  });
});

/** Tests previews of servers in a container (web-server.c), in one session. */
import type { Frame, Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { webImage } from './support/images.ts';
import type { Visitor } from './support/visitor.ts';

// The browser logs requests that fail or are refused, as the tests want them.
test.use({
  serviceWorkers: 'allow',
  expectedErrors:
    /Failed to load resource|bad HTTP response code|ERR_|CORS|Content Security Policy|Blocked|Unsafe attempt|sandbox|WebSocket connection/,
});

const SERVERS = `chmod +x /web; nc -ll -p 8000 -e /web & nc -ll -p 9000 -e /web & sh`;

/** The frame of a port's preview, once it shows a page. */
async function previewOf(page: Page, port: number, path = '/'): Promise<Frame> {
  const isIt = (frame: Frame) =>
    new RegExp(`^http://${port}-[^/]+${path.replace('?', '\\?')}$`).test(frame.url());
  await expect.poll(() => page.frames().some(isIt)).toBe(true);
  const frame = page.frames().find(isIt) as Frame;
  await frame.waitForLoadState();
  return frame;
}

async function openPreview(visitor: Visitor): Promise<Frame> {
  await visitor.button('Open the preview').first().click();
  return previewOf(visitor.page, 8000);
}

test('a preview of a server', async ({ page, visitor, registry, request }) => {
  test.slow();
  registry.add('team/web:1', await webImage());
  await visitor.open({
    image: `${registry.host}/team/web:1`,
    entrypoint: 'sh',
    args: `-c "${SERVERS}"`,
    ports: '9090:9000',
  });
  await expect(visitor.whatRuns).toContainText('shows port 9000 here');
  await visitor.run();
  // A port of the link opens by itself, and others are offered.
  await expect(page.getByRole('tab', { name: 'Port 9000' })).toBeVisible();
  await expect(page.getByText('Port 8000 is open')).toBeVisible();
  await visitor.expectPrompt();
  const frame = await openPreview(visitor);
  const address = page.getByRole('textbox', { name: 'Path' });

  await test.step('shows a page with its style, and the shim before its scripts', async () => {
    const [terminal, pane] = await Promise.all(
      ['.stage', '.previews'].map((part) => page.locator(part).boundingBox()),
    );
    expect(pane?.width).toBeCloseTo(terminal?.width ?? 0, 0);
    await expect(frame.getByRole('heading')).toHaveText('Hello from the container');
    await expect(frame.getByRole('heading')).toHaveCSS('color', 'rgb(1, 2, 3)');
    expect(await frame.locator('body').getAttribute('data-early')).toBe('shim');
  });

  await test.step('sends requests as if the browser were at localhost', async () => {
    const head = await frame.evaluate(async () => (await fetch('/head?a=b')).text());
    expect(head).toMatch(/^GET \/head\?a=b HTTP\/1.1\r\nHost: localhost:8000\r\n/);
    expect(head).toContain('Referer: http://localhost:8000/\r\n');
    expect(head).toContain('Accept-Encoding: identity');
  });

  await test.step('follows redirects to localhost', async () => {
    const url = await frame.evaluate(async () => (await fetch('/redirect')).url);
    expect(new URL(url).host).toMatch(/^8000-\w{16}\.linuxrun\.localhost:\d+$/);
    expect(new URL(url).pathname).toBe('/head');
  });

  await test.step('carries bodies both ways', async () => {
    const uploads = await frame.evaluate(async () => {
      const bytes = new Uint8Array(2_000_000).map((_, i) => i * 7);
      const sum = bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0);
      const answers: unknown[] = [];
      for (const body of [new Blob([bytes], { type: 'x/y' }), bytes]) {
        const answer = await (await fetch('/upload', { method: 'POST', body })).json();
        answers.push({ ...answer, isRight: answer.sum === sum });
      }
      return answers;
    });
    const whole = { bytes: 2_000_000, isRight: true, chunks: 0, origin: 'http://localhost:8000' };
    expect(uploads).toMatchObject([whole, whole]);
    const streams = await frame.evaluate(async () => {
      const init = () => {
        let left = 3;
        const body = new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            if (left-- > 0) controller.enqueue(new TextEncoder().encode('abc'));
            else controller.close();
          },
        });
        return { method: 'POST', body, duplex: 'half' } as RequestInit;
      };
      const answers = [await fetch('/upload', init()), await fetch(new Request('/upload', init()))];
      return Promise.all(answers.map((answer) => answer.json()));
    });
    const inPieces = { bytes: 9, chunks: 3 };
    expect(streams).toMatchObject([inPieces, inPieces]);
    const statuses = await frame.evaluate(async () => {
      const part = await fetch('/big', { headers: { Range: 'bytes=26-30' } });
      const whole = await (await fetch('/big')).arrayBuffer();
      const head = await fetch('/big', { method: 'HEAD' });
      const others = await Promise.all(
        ['/empty', '/unchanged', '/nothing'].map(async (path) => (await fetch(path)).status),
      );
      return [
        part.status,
        await part.text(),
        whole.byteLength,
        head.headers.get('Content-Length'),
        ...others,
      ];
    });
    expect(statuses).toEqual([206, 'abcde', 1_000_000, '1000000', 204, 304, 404]);
    expect(await frame.evaluate(async () => (await fetch('/zipped')).text())).toBe('zipped');
    const broken = frame.evaluate(async () => (await fetch('/broken')).text());
    await expect(broken).rejects.toThrow();
  });

  await test.step('streams', async () => {
    const times = await frame.evaluate(async () => {
      const reader = (await fetch('/stream')).body?.getReader();
      const times: number[] = [];
      while (!(await reader?.read())?.done) times.push(performance.now());
      return times;
    });
    expect(times).toHaveLength(4);
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(600);
    const events = await frame.evaluate(
      () =>
        new Promise((resolve) => {
          const source = new EventSource('/events');
          const seen: string[] = [];
          source.onmessage = ({ data }) => {
            seen.push(data);
            if (seen.length === 3) source.close();
            if (seen.length === 3) resolve(seen);
          };
        }),
    );
    expect(events).toEqual(['0', '1', '2']);
    // The server's process for the events ends when the client leaves.
    await visitor.type('clear; while pidof web | grep -q " .* .* .* "; do sleep 0.2; done; echo gone');
    await visitor.expectScreen(/^gone$/m);
  });

  await test.step('keeps cookies in a jar', async () => {
    const cookies = await frame.evaluate(async () => {
      await fetch('/cookie');
      // biome-ignore lint/suspicious/noDocumentCookie: pages do
      document.cookie = 'mine=1; path=/';
      const sent = await (await fetch('/cookie')).text();
      return { visible: document.cookie, sent };
    });
    expect(cookies.visible).toBe('seen=yes; mine=1');
    expect(cookies.sent.split('; ').sort()).toEqual(['mine=1', 'secret=1', 'seen=yes']);
  });

  await test.step('has WebSockets, in workers too', async () => {
    const messages = await frame.evaluate(
      () =>
        new Promise<unknown[]>((resolve, reject) => {
          const seen: unknown[] = [];
          const socket = new WebSocket('/socket', ['vite-hmr', 'other']);
          socket.binaryType = 'arraybuffer';
          socket.onopen = () => {
            seen.push(socket.protocol, socket.readyState);
            socket.send('text ü');
            socket.send(Uint8Array.of(1, 2, 3));
          };
          socket.onerror = () => reject(new Error('the socket failed'));
          socket.onmessage = ({ data }) => {
            seen.push(typeof data === 'string' ? data : new Uint8Array(data).join());
            if (seen.length === 4) socket.close(3000, 'done');
          };
          socket.onclose = ({ code, reason, wasClean }) =>
            resolve([...seen, code, reason, wasClean, socket.bufferedAmount]);
        }),
    );
    expect(messages).toEqual(['vite-hmr', 1, 'text ü', '1,2,3', 3000, 'done', true, 0]);
    const fromWorkers = await frame.evaluate(async () => {
      const script = await (await fetch('/worker.js')).blob();
      const url = URL.createObjectURL(script);
      const ports = [
        ...[new Worker('/worker.js'), new Worker(url), new Worker(url, { type: 'module' })],
        ...[new SharedWorker('/worker.js').port, new SharedWorker(url).port],
      ];
      URL.revokeObjectURL(url);
      const answers = ports.map(
        (port) =>
          new Promise((resolve) => {
            port.onmessage = ({ data }) => resolve(data);
          }),
      );
      return Promise.all(answers);
    });
    expect(fromWorkers).toEqual(Array(5).fill('from a worker'));
  });

  await test.step('shows documents with a strict policy, and tells the path', async () => {
    await address.fill('/strict');
    await address.press('Enter');
    const strict = await previewOf(page, 8000, '/strict');
    await expect(strict.getByRole('heading')).toHaveText('Hello from the container');
    expect(await strict.evaluate(() => WebSocket.toString().includes('native code'))).toBe(false);
    await strict.evaluate(() => history.pushState(null, '', '/?pushed#part'));
    await expect(address).toHaveValue('/?pushed#part');
    await strict.evaluate(() =>
      parent.postMessage({ type: 'linuxrun-path', path: 'https://evil.example' }, '*'),
    );
    await address.fill('/broken');
    await address.press('Enter');
    const broken = await previewOf(page, 8000, '/broken');
    await expect(broken.locator('body')).toHaveText('half');
    await address.fill('localhost:8000/');
    await address.press('Enter');
    await previewOf(page, 8000);
    await expect(address).toHaveValue('/');
  });
  const home = await previewOf(page, 8000);
  const tabUrl = home.url();

  await test.step('can do nothing to the page', async () => {
    const pageUrl = page.url();
    await page.evaluate(() => localStorage.setItem('secret', 'x'));
    const attacks = await home.evaluate(async (origin) => {
      const attempt = async (attack: () => unknown): Promise<string> => {
        try {
          return String(await attack());
        } catch (error) {
          return (error as Error).name;
        }
      };
      const post = { method: 'POST', mode: 'no-cors' } as const;
      return [
        await attempt(() => parent.document.title),
        await attempt(() => parent.localStorage.length),
        await attempt(() => {
          (top as Window).location.href = 'about:blank#attacked';
          return 'assigned';
        }),
        await attempt(() => window.open('about:blank', '_top')?.closed ?? 'null'),
        await attempt(async () => (await fetch(`${origin}/`)).status),
        await attempt(async () => (await fetch(`${origin}/index.html`, { mode: 'no-cors' })).type),
        await attempt(async () => (await fetch(`${origin}/registry/quay.io/v2/a/b/tags/list`)).status),
        await attempt(
          async () => (await fetch(`${origin}/registry/quay.io/v2/a/b/tags/list`, { mode: 'no-cors' })).type,
        ),
        await attempt(async () => (await fetch(`${origin}/relay/token`, post)).type),
        await attempt(
          () =>
            new Promise((resolve) => {
              const socket = new WebSocket(`${origin.replace('http', 'ws')}/relay`);
              socket.onopen = () => resolve('open');
              socket.onerror = () => resolve('closed');
            }),
        ),
        localStorage.getItem('secret') ?? 'null',
        await attempt(() => caches.keys().then((keys) => keys.length)),
        await attempt(() => navigator.serviceWorker.register('/worker.js', { scope: '/x/' })),
      ];
    }, new URL(pageUrl).origin);
    const [blocked, aborted] = ['SecurityError', 'TypeError'];
    expect(attacks).toEqual([
      ...[blocked, blocked, blocked, 'null', aborted, aborted, aborted, aborted, aborted],
      ...['closed', 'null', '0', aborted],
    ]);
    const headers = { Origin: new URL(home.url()).origin, 'Sec-Fetch-Site': 'same-site' };
    expect((await request.get('./registry/quay.io/v2/a/b/tags/list', { headers })).status()).toBe(403);
    await home.evaluate((origin) => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      frame.src = `${origin}/`;
      return new Promise((resolve) => frame.addEventListener('load', resolve));
    }, new URL(pageUrl).origin);
    expect(home.childFrames().map((frame) => frame.url())).toEqual(['chrome-error://chromewebdata/']);
    expect(page.url()).toBe(pageUrl);
  });

  await test.step('shows two ports, and tabs of their own', async () => {
    await page.getByRole('tab', { name: 'Port 9000' }).click();
    const other = await previewOf(page, 9000);
    await expect(other.getByRole('heading')).toHaveText('Hello from the container');
    await home.evaluate(() => localStorage.setItem('port', '8000'));
    expect(await other.evaluate(() => localStorage.getItem('port'))).toBeNull();
    const link = page.getByRole('link', { name: 'Open in a tab' });
    const opening = page.context().waitForEvent('page');
    await link.click();
    const tab = await opening;
    await expect(tab.getByRole('heading')).toHaveText('Hello from the container');
    expect(await tab.evaluate(() => window.opener)).toBeNull();
    expect(await tab.evaluate(async () => (await fetch('/head')).text())).toContain(
      'Host: localhost:9000\r\n',
    );
    await tab.close();
  });

  await test.step('recovers when its service worker was stopped, and its server restarted', async () => {
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('ServiceWorker.enable');
    await devTools.send('ServiceWorker.stopAllWorkers');
    expect(await home.evaluate(async () => (await fetch('/head')).status)).toBe(200);
    await visitor.type('killall nc web; clear');
    const ask = () =>
      home.evaluate(() =>
        fetch('/head').then(
          ({ status }) => status,
          () => 'failed',
        ),
      );
    await expect.poll(ask).toBe('failed');
    await page.getByRole('tab', { name: 'Port 8000' }).click();
    await visitor.button('Reload').click();
    const failed = await previewOf(page, 8000);
    await expect(failed.getByRole('heading')).toHaveText('No answer on port 8000');
    await visitor.type('nc -ll -p 8000 -e /web &');
    await expect(async () => {
      await failed.getByRole('link', { name: 'Try again' }).click();
      await expect(failed.getByRole('heading')).toHaveText('Hello from the container', { timeout: 3000 });
    }).toPass();
  });

  await test.step('has the place of the files on a narrow screen', async () => {
    const [previews, files] = [page.locator('.previews'), page.locator('.files')];
    const expectOnly = async (there: Locator, gone: Locator) => {
      await expect(there).toBeInViewport({ ratio: 1 });
      await expect(gone).toHaveCount(0);
    };
    await visitor.button('Files').click();
    for (const panel of [previews, files]) await expect(panel).toBeInViewport({ ratio: 1 });
    const viewport = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    await expectOnly(previews, files);
    await visitor.button('Files').click();
    await expectOnly(files, previews);
    await visitor.button('Preview').click();
    await expectOnly(previews, files);
    if (viewport) await page.setViewportSize(viewport);
  });

  await test.step('says so when the container has ended', async () => {
    const tab = await page.context().newPage();
    await tab.goto(tabUrl);
    await expect(tab.getByRole('heading')).toHaveText('Hello from the container');
    await tab.evaluate(() => {
      const socket = new WebSocket('/socket');
      const closed = new Promise((resolve) => {
        socket.onclose = ({ code }) => resolve(code);
      });
      return new Promise((resolve) => {
        socket.onopen = () => resolve(Object.assign(globalThis, { ended: closed }) && null);
      });
    });
    await visitor.endAndRunAnother();
    expect(await tab.evaluate(() => (globalThis as { ended?: unknown }).ended)).toBe(1006);
    await tab.reload();
    await expect(tab.getByRole('heading')).toHaveText('The container is gone');
    await tab.close();
  });

  await test.step('says so when the page is closed, and leads back to it', async () => {
    await visitor.run();
    const preview = await previewOf(page, 9000);
    const tab = await page.context().newPage();
    await tab.goto(preview.url());
    await tab.evaluate(async () => {
      const { body } = await fetch('/events');
      Object.assign(globalThis, {
        ended: new Response(body).text().then(
          () => 'complete',
          () => 'failed',
        ),
      });
    });
    await page.close();
    expect(await tab.evaluate(() => (globalThis as { ended?: unknown }).ended)).toBe('failed');
    await tab.reload();
    await expect(tab.getByRole('heading')).toHaveText('The container is gone');
    await tab.getByRole('link', { name: 'Open LinuxRun' }).click();
    await expect(tab.getByLabel('Image', { exact: true })).toBeVisible();
  });
});

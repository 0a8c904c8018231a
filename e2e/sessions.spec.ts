/** Tests that sessions go on: after a reload, a crash and a suspension, in files and by links. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request as ask, createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Frame, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { expectAccessible } from './support/care.ts';
import { webImage } from './support/images.ts';
import { BUSYBOX, Visitor } from './support/visitor.ts';

// Previews have a service worker, and one test asks for files that the server does not have.
test.use({ serviceWorkers: 'allow', expectedErrors: /Failed to load resource/ });

/** Hides the page for a moment, which saves its session, and waits for that. */
async function save({ page }: Visitor): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, 'hidden', { value: true, configurable: true });
     document.dispatchEvent(new Event('visibilitychange'));
     delete document.hidden;`,
  );
  await page.getByRole('button', { name: 'Kept', exact: true }).click();
  await expect(page.getByText(/they were saved just now/)).toBeVisible();
  await page.keyboard.press('Escape');
}

/** Changes to a terminal, and focuses it. */
async function turnTo({ page }: Visitor, tab: number): Promise<void> {
  await page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab').nth(tab).click();
  await page.locator('.xterm-helper-textarea:visible').focus();
}

/** Stays on the page whenever the browser asks. @returns its questions */
function stayWhenAsked(page: Page): string[] {
  const questions: string[] = [];
  page.on('dialog', async (dialog) => {
    questions.push(dialog.type());
    await dialog.dismiss();
  });
  return questions;
}

/** Reloads the page until the browser does not ask, because the session could be saved on the way out. */
async function reload(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(globalThis, { isOld: true }));
  await expect(async () => {
    await page.reload({ timeout: 5000 }).catch(() => {});
    expect(await page.evaluate(() => 'isOld' in globalThis)).toBe(false);
  }).toPass();
}

test('a reload right after the first key goes on, or asks until that is possible', async ({
  page,
  visitor,
}) => {
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  stayWhenAsked(page);
  await page.locator('.xterm-helper-textarea:visible').focus();
  await page.keyboard.press('p');
  await reload(page);
  await visitor.expectScreen(/^\/ # p$/m);
  await page.keyboard.type('wd\n');
  await visitor.expectScreen(/^\/ # pwd\n\/$/m);
});

test('a session goes on where it was: editor, server, shells and previews', async ({
  page,
  visitor,
  registry,
}) => {
  test.slow();
  registry.add('team/web:1', await webImage());
  const questions = stayWhenAsked(page);
  const expectPreview = async () => {
    const isIt = (frame: Frame) => /^http:\/\/8000-[^/]+\/$/.test(frame.url());
    const heading = async () => page.frames().find(isIt)?.getByRole('heading').textContent({ timeout: 1000 });
    await expect(async () => expect(await heading()).toBe('Hello from the container')).toPass();
  };
  const tabs = page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab');

  await test.step('four terminals are in use', async () => {
    await visitor.runLink({ image: `${registry.host}/team/web:1` });
    await visitor.expectPrompt();
    await visitor.command('answer=42; mkdir /site; chmod +x /web');
    await visitor.button('New terminal').click();
    await visitor.expectPrompt();
    await visitor.type('vi /root/notes');
    await visitor.expectScreen(/notes.*1\/1|^~$/m);
    await page.keyboard.type('inobody saved this');
    await visitor.expectScreen(/nobody saved this/);
    await visitor.button('New terminal').click();
    await visitor.expectPrompt();
    await visitor.type('nc -ll -p 8000 -e /web');
    await visitor.button('Open the preview').click();
    await expectPreview();
    await visitor.button('New terminal').click();
    await visitor.expectPrompt();
    await visitor.type('cd /site');
    await visitor.expectScreen(/^\/site #$/m);
    await turnTo(visitor, 1);
  });

  const expectAll = async (round: string) => {
    await expect(tabs).toHaveCount(4);
    await expect(visitor.state).toHaveText('Running');
    await turnTo(visitor, 1);
    await page.keyboard.press('Escape');
    await visitor.expectScreen(/^nobody saved this$/m);
    await visitor.expectScreen(/\[Modified\]/);
    await expectPreview();
    await turnTo(visitor, 3);
    await visitor.type(`clear; echo ${round} $PWD`);
    await visitor.expectScreen(new RegExp(`^${round} /site$`, 'm'));
    await turnTo(visitor, 0);
    await visitor.type(`clear; echo ${round} $answer`);
    await visitor.expectScreen(new RegExp(`^${round} 42$`, 'm'));
    await turnTo(visitor, 1);
  };

  await test.step('a reload goes on by itself', async () => {
    await reload(page);
    await expectAll('reloaded');
  });

  await test.step('a suspended session goes on', async () => {
    await visitor.button('Suspend').click();
    await expect(page.locator('.kept-item')).toContainText('Suspended');
    await page.getByRole('button', { name: /^Resume/ }).click();
    await expectAll('resumed');
    await page.keyboard.type(':wq\n');
    await visitor.type('clear; cat /root/notes');
    await visitor.expectScreen(/^nobody saved this$/m);
  });

  await test.step('leaving suspends it, and asks nothing', async () => {
    questions.length = 0;
    await visitor.button('Run another').click();
    await expect(page.locator('.kept-item')).toContainText('Suspended');
    expect(questions).toEqual([]);
  });
});

/** Serves the page, and a file that arrives only in part until the rest is asked for. */
class FileHost {
  readonly #server: Server;
  /** The path of the file, its contents, and how much of it arrives. */
  file: { path: string; contents: Uint8Array; given: number } | undefined;
  requests = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(page: string): Promise<FileHost> {
    const { port } = new URL(page);
    const host = new FileHost(
      createServer((request, response) => {
        const { method, url: path, headers } = request;
        if (path === host.file?.path) return host.#give(response);
        if (path === '/moved.linuxrun') return response.writeHead(302, { location: '/elsewhere' }).end();
        const options = { port, method, path, headers: { ...headers, host: `localhost:${port}` } };
        request.pipe(
          ask(options, (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers))),
        );
      }).listen(0),
    );
    await once(host.#server, 'listening');
    return host;
  }

  get url(): string {
    return `http://linuxrun.localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  #give(response: ServerResponse): void {
    const { contents, given } = this.file as NonNullable<FileHost['file']>;
    this.requests++;
    response.writeHead(200, { 'Content-Length': contents.length });
    response.write(contents.subarray(0, given));
    if (given >= contents.length) response.end();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

test('a session is downloaded, its tab crashes, and the file is opened and linked to', async ({
  page,
  visitor,
  context,
  serverUrl,
}) => {
  test.slow();
  const file = test.info().outputPath('session.linuxrun');
  await test.step('it is downloaded', async () => {
    await visitor.runLink({ image: BUSYBOX });
    await visitor.expectPrompt();
    await visitor.command('answer=42');
    await save(visitor);
    await visitor.button('Kept').click();
    const download = page.waitForEvent('download');
    await visitor.button('Download session').click();
    await (await download).saveAs(file);
    await page.keyboard.press('Escape');
    await visitor.command('echo later > /root/later; sync');
  });
  const other = new Visitor(await context.newPage());
  await test.step('another tab sees that it runs, until its tab crashes', async () => {
    await other.open();
    await expect(other.page.locator('.kept-item')).toContainText('Running in another tab');
    const devTools = await context.newCDPSession(page);
    devTools.send('Page.crash').catch(() => {});
    await page.waitForEvent('crash');
    // By itself it would start on the later files.
    await expect(other.page.locator('.kept-item')).toContainText(/Stopped.* saved at \d\d:\d\d/);
    await other.page.getByRole('button', { name: /^More for/ }).click();
    await other.button('Go on where it was saved').click();
    await expectAccessible(other.page);
    await other.button('Let it go on').click();
    await other.expectPrompt();
    await other.type('clear; echo after the crash $answer');
    await other.expectScreen(/^after the crash 42$/m);
    const notice = other.page.getByRole('note').filter({ hasText: 'It was cut off' });
    await expect(notice).toContainText(/goes on where it was saved at \d\d:\d\d\./);
    await expectAccessible(other.page);
    await notice.getByRole('button', { name: 'Start on its files instead' }).click();
    await other.button('Restart it').click();
    await expect(notice).toHaveCount(0);
    await other.expectPrompt();
    await other.type('echo "only its files: [$answer]"; ls /root');
    // Those of the moment when it was saved.
    await other.expectScreen(/^only its files: \[\]\n\/ #$/m);
    await other.button('Suspend').click();
    await expect(other.page.locator('.kept-item')).toContainText('Suspended');
  });
  const offer = other.page.getByRole('note').filter({ hasText: 'A saved session of BusyBox' });
  const about = /session\.linuxrun, [\d.]+ MB: saved .*, with 512 MB of memory and 1 CPU/;
  await test.step('the file says what it holds, and opens at a click', async () => {
    await other.page.getByLabel('Image archive, project or saved session').setInputFiles(file);
    await expect(offer).toContainText(about);
    await expectAccessible(other.page);
    await offer.getByRole('button', { name: 'Open it' }).click();
    await other.expectPrompt();
    await other.type('clear; echo opened $answer');
    await other.expectScreen(/^opened 42$/m);
  });
  const host = await FileHost.start(serverUrl);
  await test.step('a link says what the file holds by its beginning, and loads it at a click', async () => {
    const contents = await readFile(file);
    host.file = { path: '/session.linuxrun', contents, given: 32 << 10 };
    await other.page.goto(`${host.url}?LINUXRUN_SNAPSHOT=session.linuxrun`);
    await expect(offer).toContainText(about);
    expect(host.requests).toBe(1);
    host.file = { ...host.file, given: contents.length };
    await offer.getByRole('button', { name: 'Open it' }).click();
    await other.expectPrompt();
    await other.type('clear; echo linked $answer');
    await other.expectScreen(/^linked 42$/m);
    expect(host.requests).toBe(2);
  });
  await test.step('a link that leads elsewhere or nowhere says so', async () => {
    await other.page.goto(`${host.url}?LINUXRUN_SNAPSHOT=moved.linuxrun`);
    await expect(other.problem).toContainText('leads elsewhere');
    await other.page.goto(`${host.url}?LINUXRUN_SNAPSHOT=missing.linuxrun`);
    await expect(other.problem).toContainText('There is no such file on its server');
  });
  host.close();
});

test('a new container begins at a saved start, with random numbers of its own', async ({ page, visitor }) => {
  const uuid = async (round: string) => {
    await visitor.type(`clear; echo ${round} $answer $(cat /proc/sys/kernel/random/uuid)`);
    const [found = ''] = await visitor.read(new RegExp(`^${round} 42 ([-0-9a-f]{36})$`, 'm'));
    return found;
  };
  await visitor.runLink({ image: BUSYBOX });
  await visitor.expectPrompt();
  await visitor.command('answer=42');
  await visitor.button('Kept').click();
  await visitor.button('Start here next time').click();
  await expect(visitor.button('Starts here next time')).toBeVisible();
  await page.keyboard.press('Escape');
  const drawn = [await uuid('origin')];
  await visitor.button('Run another').click();
  for (const round of ['first', 'second']) {
    await visitor.run();
    await visitor.expectScreen(/^\/ #$/m);
    drawn.push(await uuid(round));
    await visitor.button('Run another').click();
    await expect(visitor.image).toBeVisible();
  }
  expect(new Set(drawn).size).toBe(3);
});

test('hostile links and files open nothing', async ({ page, visitor }) => {
  const problem = page.getByRole('alert');
  const query = (name: string) => `?LINUXRUN_SNAPSHOT=${encodeURIComponent(name)}`;
  await page.goto(`./${query('https://registry.example/session.linuxrun')}`);
  await expect(problem).toContainText('sessions open only from');
  await page.goto(`./${query('emulator.wasm')}`);
  await expect(problem).toContainText('is no saved session');
  await page.goto(`./${query('javascript:alert(1)')}&LINUXRUN_NAME=amber-otter`);
  await expect(problem).toContainText('sessions open only from');
  await page.goto(`./?LINUXRUN_NAME=amber-otter&LINUXRUN_IMAGE=${BUSYBOX}`);
  await expect(page.getByRole('note')).toContainText('Ignored: LINUXRUN_NAME');
  expect(new URL(page.url()).search).not.toContain('amber-otter');
  const file = test.info().outputPath('broken.linuxrun');
  const magic = [0x89, 0x4c, 0x52, 0x53, 0x0d, 0x0a, 0x1a, 0x0a, 1, 0, 0, 0];
  await writeFile(file, Uint8Array.from([...magic, ...new Uint8Array(4096).fill(0xff)]));
  await page.getByLabel('Image archive, project or saved session').setInputFiles(file);
  await expect(problem).toContainText('broken.linuxrun cannot be opened');
  await expectAccessible(page);
  await visitor.button('Dismiss').click();
  await expect(problem).toHaveCount(0);
});

/** Every problem is explained in words, with advice. */
import type { Page, Route } from '@playwright/test';
import { makeIndex, sha256, type TestLayer } from '../src/oci/testing/image.ts';
import { expect, test } from './fixtures.ts';
import { refuseWith } from './support/faults.ts';
import { heavyBusybox, unusableBusybox } from './support/images.ts';
import { forPrograms, startLinuxRun } from './support/linuxrun-server.ts';
import { BUSYBOX, HELLO, HELLO_WORLD, linkTo } from './support/visitor.ts';

// The browser itself logs failed requests.
test.use({ expectedErrors: /Failed to load resource|ERR_/ });

test.describe('an image', () => {
  test('with an invalid name is explained while it is typed', async ({ visitor }) => {
    await visitor.open();
    await visitor.fill(visitor.image, 'No Such Name');
    await expect(visitor.image).toHaveAttribute('aria-invalid', 'true');
    await expect(visitor.image).toHaveAccessibleDescription(/\S/);
    await expect(visitor.button('Run')).toBeDisabled();
    await visitor.fill(visitor.image, 'alpine');
    await expect(visitor.image).toHaveAttribute('aria-invalid', 'false');
    await expect(visitor.button('Run')).toBeEnabled();
  });

  test('that cannot be had is explained, and another one chosen', async ({ visitor, registry }) => {
    const choose = async (image: string) => {
      await visitor.button('Back to the form').click();
      await visitor.fill(visitor.image, image);
      await visitor.run();
    };
    await visitor.runLink({ image: `${registry.host}/team/none:1` });
    await visitor.expectProblem(/no such image/i, /team\/none:1/, /check its name and tag/i);
    await visitor.button('Back to the form').click();
    await expect(visitor.image).toHaveValue(`${registry.host}/team/none:1`);
    await visitor.run();

    await test.step('that is for no processor that runs', async () => {
      const image = unusableBusybox();
      registry.add('team/foreign:s390x', image);
      const platform = { os: 'linux', architecture: 's390x' };
      registry.addIndex('team/foreign:1', makeIndex([{ image, platform }]));
      await choose(`${registry.host}/team/foreign:1`);
      await visitor.expectProblem(/no processor that runs/, /linux\/s390x/, /choose another/i);
    });

    await test.step('of a registry that is not on the list', async () => {
      await choose('registry.example/team/app:1');
      await visitor.expectProblem(
        /server does not allow that/,
        /does not fetch images from registry\.example/,
        /LINUXRUN_REGISTRIES=default,registry\.example/,
      );
    });

    await test.step('of a registry that asks for patience', async () => {
      registry.intercept = refuseWith(429, { 'Retry-After': '3600' });
      await choose(`${registry.host}/team/busy:1`);
      await visitor.expectProblem(/too many requests/i, /60 min/, /sign in/i);
    });
  });

  test('that is private is pulled with a password, which nobody else sees', async ({
    page,
    visitor,
    registry,
  }) => {
    registry.add('team/private:1', heavyBusybox(1000));
    registry.auth = { token: 'secret', credentials: 'me:open sesame' };
    await visitor.runLink({ image: `${registry.host}/team/private:1` });
    await visitor.expectProblem(/refuses this image/, /sign in/i);
    await visitor.button('Sign in').click();
    await expect(visitor.field('User name')).toBeFocused();
    await visitor.fill(visitor.field('User name'), 'me');
    await visitor.fill(visitor.field('Password or token'), 'open sesame');
    await visitor.run();
    await visitor.expectPrompt();
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + location.href);
    expect(kept).not.toMatch(/sesame/);
    expect(kept).toContain('team/private');
  });

  test('that is damaged does not run, and runs after a second attempt', async ({ visitor, registry }) => {
    const image = heavyBusybox(1000);
    registry.add('team/app:1', image);
    const damaged = sha256((image.layers[1] as TestLayer).blob);
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(damaged)) return false;
      response.end('something else');
      return true;
    };
    await visitor.runLink({ image: `${registry.host}/team/app:1` });
    await expect(visitor.problem).toBeVisible();
    await expect(visitor.terminals).toHaveText('');
    registry.intercept = undefined;
    await visitor.button('Try again').click();
    await visitor.expectPrompt();
  });
});

test('the server disappears and comes back', { tag: '@firefox' }, async ({ page, visitor, registry }) => {
  registry.add('team/app:1', heavyBusybox(1000));
  const server = await startLinuxRun([registry.host]);
  const isPrepared = Promise.all(
    ['/TerminalPane-', '/kernel/booted'].map((part) =>
      page.waitForEvent('requestfinished', (request) => request.url().includes(part)),
    ),
  );
  await page.goto(server.pageUrl + linkTo({ image: `${registry.host}/team/app:1` }));
  await isPrepared;
  await page.waitForLoadState('networkidle');
  await server.close();
  await visitor.run();
  await visitor.expectProblem(/cannot be (reached|loaded)/, /(still|is) running/);
  const again = await startLinuxRun([registry.host], {
    port: Number(new URL(server.pageUrl).port),
  });
  await visitor.button('Try again').click();
  await visitor.expectPrompt();
  await again.close();
});

test('code of the page that cannot be loaded is loaded after a reload', async ({ page, visitor }) => {
  const connection = /\/connection-/;
  await page.route(connection, (route) => route.abort());
  await visitor.runLink({ image: HELLO_WORLD });
  await visitor.expectProblem(/part of this page cannot be loaded/, /reload the page/i);
  await page.unroute(connection);
  await visitor.button('Reload the page').click();
  await visitor.run();
  await visitor.expectScreen(HELLO);
});

test('a running container continues without the server', async ({ page, visitor }) => {
  const server = await startLinuxRun([]);
  await page.goto(server.pageUrl + linkTo({ image: BUSYBOX }));
  await visitor.run();
  await visitor.expectPrompt();
  await server.close();
  await visitor.command('ls -l /bin > /list');
  await visitor.button('New terminal').click();
  await visitor.expectPrompt();
  await visitor.type('grep -c busybox /list');
  await visitor.expectScreen(/^\d{3}$/m);
});

test('the storage is full', async ({ page, visitor, registry }) => {
  registry.add('team/heavy:1', heavyBusybox(24 << 20));
  await visitor.open({ image: `${registry.host}/team/heavy:1` });
  const devTools = await page.context().newCDPSession(page);
  // Chromium rarely reads the quota again, so it has to be small before anything is stored.
  await devTools.send('Storage.overrideQuotaForOrigin', {
    origin: new URL(page.url()).origin,
    quotaSize: 12 << 20,
  });
  await visitor.run();
  await visitor.expectProblem(/no (more )?room/i, /delete stored images/i);
  await visitor.runLink({ image: BUSYBOX, entrypoint: 'echo', args: 'small ones still fit' });
  await visitor.expectScreen(/^small ones still fit$/m);
});

test.describe('a browser', () => {
  test('without threads for WebAssembly', { tag: '@firefox' }, async ({ page, visitor }) => {
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedArrayBuffer'));
    await visitor.open();
    await visitor.expectProblem(/lacks WebAssembly threads/, /recent Chromium, Firefox or Safari/);
    await expect(visitor.button('Run')).toBeDisabled();
  });

  test('without isolation headers', async ({ page, visitor }) => {
    await page.route('**/*', async (route) => {
      const response = await route.fetch({ url: forPrograms(route.request().url()) });
      const headers = Object.entries(response.headers()).filter(
        ([name]) => !name.startsWith('cross-origin-'),
      );
      await route.fulfill({ response, headers: Object.fromEntries(headers) });
    });
    await visitor.open();
    await visitor.expectProblem(/not cross-origin isolated/, /Cross-Origin-Embedder-Policy: require-corp/);
    await expect(visitor.button('Run')).toBeDisabled();
  });

  test('that must not store anything says so, and runs images', async ({ page, visitor }) => {
    const forbid = 'indexedDB.open = () => { throw new DOMException("denied", "SecurityError"); };';
    await page.addInitScript(forbid);
    await page.route('**/assets/session-worker*.js', async (route) => {
      const response = await route.fetch({ url: forPrograms(route.request().url()) });
      await route.fulfill({ response, body: forbid + (await response.text()) });
    });
    await visitor.open({ image: HELLO_WORLD });
    await expect(page.getByText(/browser keeps nothing of this page/)).toBeVisible();
    await visitor.run();
    await visitor.expectScreen(HELLO);
    await visitor.expectExit(0);
  });
});

test.describe('a worker that stays silent', () => {
  const CODE = '**/assets/session-worker*.js';
  const REPLACED = /Trying again: a worker .* did not answer/;
  const silence = async (route: Route) => {
    const response = await route.fetch({ url: forPrograms(route.request().url()) });
    await route.fulfill({ response, body: '' });
  };
  /** Lets seconds pass on the page's clock until it shows the text. */
  const waitFor = async (page: Page, text: RegExp) => {
    const passSecond = async () => {
      await page.clock.fastForward(1000);
      return page.evaluate(() => document.body.innerText);
    };
    await expect.poll(passSecond, { intervals: [0] }).toMatch(text);
  };

  test('is replaced', { tag: '@firefox' }, async ({ page, visitor }) => {
    await page.clock.install();
    await page.route(CODE, silence, { times: 1 });
    await visitor.runLink({ image: HELLO_WORLD });
    await waitFor(page, REPLACED);
    await visitor.expectScreen(HELLO);
    await visitor.expectExit(0);
  });

  test('is told, when others are as silent', async ({ page, visitor }) => {
    await page.clock.install();
    await page.route(CODE, silence);
    await visitor.runLink({ image: HELLO_WORLD });
    await waitFor(page, /does not run the session/);
    await visitor.expectProblem(/try again/i);
    await page.unroute(CODE);
    await visitor.button('Try again').click();
    // A worker was there already.
    await waitFor(page, REPLACED);
    await visitor.expectScreen(HELLO);
  });
});

test.describe('a machine', () => {
  test('without its kernel', async ({ page, visitor }) => {
    await page.route(/\/kernel\/(Image|booted)\?/, (route) => route.fulfill({ status: 404 }));
    await visitor.runLink({ image: HELLO_WORLD });
    await visitor.expectProblem(/cannot be loaded/, /kernel\/Image/, /try again/);
    await page.unroute(/\/kernel\/(Image|booted)\?/);
    await visitor.button('Try again').click();
    await visitor.expectScreen(HELLO);
  });

  test('without the kernel for several CPUs', async ({ page, visitor }) => {
    await page.route(/\/kernel\/Image-smp\?/, (route) => route.fulfill({ status: 404 }));
    await visitor.runLink({ image: HELLO_WORLD, cpus: '2' });
    await visitor.expectProblem(/several CPUs/, /one CPU/);
  });

  test('with a file that is not a kernel', async ({ page, visitor }) => {
    await page.route(/\/kernel\/(Image|booted)\?/, (route) => route.fulfill({ body: 'not a kernel' }));
    await visitor.runLink({ image: HELLO_WORLD });
    await visitor.expectProblem(/kernel/, /try again/i);
  });

  test('with a file that is not an emulator', async ({ page, visitor }) => {
    await page.route(/\/emulator\.wasm\?/, (route) =>
      route.fulfill({ contentType: 'application/wasm', body: 'not wasm' }),
    );
    await visitor.runLink({ image: HELLO_WORLD });
    await visitor.expectProblem(/do not fit together/, /WebAssembly|emulator/, /reload the page/i);
  });

  test('with the emulator of another version', async ({ page, visitor }) => {
    const name = (text: string) => [text.length, ...Buffer.from(text)];
    const entry = [...name('host'), ...name('newer'), 0, 0];
    // A module that only imports a function of no parameters.
    const types = [1, 4, 1, 0x60, 0, 0];
    const body = Buffer.from([
      ...Buffer.from('\0asm'),
      1,
      0,
      0,
      0,
      ...types,
      2,
      entry.length + 1,
      1,
      ...entry,
    ]);
    await page.route(/\/emulator\.wasm\?/, (route) =>
      route.fulfill({ contentType: 'application/wasm', body }),
    );
    await visitor.runLink({ image: HELLO_WORLD });
    await visitor.expectProblem(/do not fit together/, /LinkError/, /reload the page/i);
  });

  test('that is too small for its container', async ({ visitor }) => {
    await visitor.runLink({ image: BUSYBOX, memory: '64M', entrypoint: 'tail', args: '/dev/zero' });
    await expect(visitor.state).toHaveText('Failed with status 137', { timeout: 60_000 });
    await visitor.expectProblem(/not enough memory/, /process was killed/);
    await visitor.button('Change the options').click();
    await expect(visitor.field('Memory')).toHaveValue('64M');
    await expect(visitor.field('Memory')).toBeFocused();
  });
});

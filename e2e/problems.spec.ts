import { expect, test } from './fixtures.ts';

test('says what is missing when the page is not isolated', async ({ page }) => {
  await page.route('**/*', async (route) => {
    const response = await route.fetch();
    const headers = Object.fromEntries(
      Object.entries(response.headers()).filter(([name]) => !name.startsWith('cross-origin-')),
    );
    await route.fulfill({ response, headers });
  });
  await page.goto('/');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('not cross-origin isolated');
  await expect(alert).toContainText('Cross-Origin-Embedder-Policy: require-corp');
  await expect(page.getByRole('status')).toHaveText('Not started');
  await page.screenshot({ path: 'test-results/not-isolated.png' });
});

for (const [query, message] of [
  ['cpus=99', /CPUs must be 1 to 8/],
  ['memory=1M', /too little/],
  ['memory=4G', /too much/],
  ['memory=plenty', /memory must be a size/],
]) {
  test(`refuses ?${query}`, async ({ page }) => {
    await page.goto(`/?${query}`);
    await expect(page.getByRole('alert')).toContainText(message as RegExp);
    await expect(page.getByRole('status')).toHaveText('Not started');
  });
}

test('refuses a kernel that is none', async ({ page }) => {
  await page.route('**/kernel/Image', (route) => route.fulfill({ body: 'not a kernel' }));
  await page.goto('/');
  await expect(page.getByRole('alert')).toContainText(/kernel/);
  await expect(page.getByRole('status')).toHaveText('Stopped');
});

test('refuses an emulator that is none', async ({ page }) => {
  await page.route('**/emulator.wasm', (route) =>
    route.fulfill({ contentType: 'application/wasm', body: 'not wasm' }),
  );
  await page.goto('/');
  await expect(page.getByRole('alert')).toContainText(/WebAssembly/);
  await expect(page.getByRole('status')).toHaveText('Stopped');
});

test.describe('a kernel that is not there', () => {
  // The browser itself logs the failed request as an error.
  test.use({ cleanConsole: undefined });

  test('is named, with the reason why it may be missing', async ({ page }) => {
    await page.route('**/kernel/Image-smp', (route) => route.fulfill({ status: 404 }));
    await page.goto('/?cpus=2');
    await expect(page.getByRole('alert')).toContainText(/kernel\/Image-smp.*several CPUs.*try again/);
  });

  test('is named', async ({ page }) => {
    await page.route('**/kernel/Image', (route) => route.fulfill({ status: 404 }));
    await page.goto('/');
    await expect(page.getByRole('alert')).toContainText('kernel/Image');
  });
});

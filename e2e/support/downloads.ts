import type { Page } from '@playwright/test';

/**
 * Downloads a file that the page has made.
 * @param start has the page begin the download
 * @returns its content
 */
export async function downloadBlob(page: Page, start: () => Promise<void>): Promise<Buffer> {
  // Playwright hears nothing of downloads of blobs in Firefox, so that the test reads the blob itself.
  await page.evaluate(() => {
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      if (blob instanceof Blob) Object.assign(globalThis, { saved: blob });
      URL.createObjectURL = make;
      return make.call(URL, blob);
    };
  });
  await start();
  await page.waitForFunction(() => 'saved' in globalThis);
  const content = await page.evaluate(async () => {
    const { saved } = globalThis as { saved?: Blob };
    return btoa(String.fromCharCode(...new Uint8Array((await saved?.arrayBuffer()) ?? [])));
  });
  return Buffer.from(content, 'base64');
}

import { defineConfig } from '@playwright/test';
import { CHROMIUM } from './e2e/browser.ts';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/build.ts',
  outputDir: 'test-results',
  // A machine has several threads: two at a time would measure each other.
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  // A service worker would answer requests that tests intercept.
  use: { serviceWorkers: 'block', launchOptions: CHROMIUM, viewport: { width: 1000, height: 640 } },
});

import { defineConfig } from '@playwright/test';
import { CHROMIUM } from './e2e/browser.ts';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/build.ts',
  outputDir: 'test-results',
  // A test keeps little more than one processor busy, and none measures times.
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 60_000 },
  reporter: 'list',
  // A service worker would answer requests that tests intercept.
  use: { serviceWorkers: 'block', launchOptions: CHROMIUM, viewport: { width: 1000, height: 640 } },
});

import { defineConfig } from '@playwright/test';
import { CHROMIUM, CHROMIUM_SHELL, FIREFOX } from './e2e/browser.ts';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/build.ts',
  outputDir: 'test-results',
  // A test keeps little more than one processor busy, and none measures times.
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 60_000 },
  reporter: 'list',
  use: {
    // A service worker would answer requests that tests intercept.
    serviceWorkers: 'block',
    viewport: { width: 1000, height: 640 },
    // Drawing a pulsing dot takes a fifth of the processor time of most tests.
    contextOptions: { reducedMotion: 'reduce' },
  },
  projects: [
    // The longest files first, so that none of them runs alone at the end.
    { name: 'webkit', testMatch: 'webkit.spec.ts' },
    {
      name: 'firefox',
      use: { browserName: 'firefox', channel: FIREFOX.channel, launchOptions: FIREFOX },
      grep: /@firefox/,
    },
    {
      name: 'chromium',
      use: { browserName: 'chromium', launchOptions: CHROMIUM_SHELL },
      testIgnore: ['webkit.spec.ts', 'starts.spec.ts'],
      grepInvert: /@window/,
    },
    { name: 'window', use: { browserName: 'chromium', launchOptions: CHROMIUM }, grep: /@window/ },
  ],
});

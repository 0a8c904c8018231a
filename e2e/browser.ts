const DISABLED_FEATURES = [
  // Each window would prepare the menu of its address bar, which takes as long as our page.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  // Playwright's own list, which this one replaces.
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];

/** How benchmarks, and tests that keep a profile, start Debian's Chromium. */
export const CHROMIUM = {
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', // the sandbox cannot start as root
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--disable-features=${DISABLED_FEATURES}`,
  ],
};

/**
 * Chromium without windows, in which most tests run. Each window of the whole browser has pages of its own,
 * which took 28 % of the tests' processor time.
 */
export const CHROMIUM_SHELL = { ...CHROMIUM, executablePath: '/usr/bin/chromium-headless-shell' };

/** How the tests start Debian's Firefox, which Playwright drives by WebDriver BiDi in this channel. */
export const FIREFOX = {
  channel: 'moz-firefox',
  executablePath: '/usr/bin/firefox-esr',
  args: ['--remote-allow-system-access'], // which `forgetWorkers` needs
  // Pages may use the clipboard without a question, which nobody would answer.
  firefoxUserPrefs: { 'dom.events.testing.asyncClipboard': true },
};

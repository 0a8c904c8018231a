import type { Page } from '@playwright/test';

/** Whether the page runs a script that is injected into its document. */
export function runsForeignScripts(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.isForeign = true';
    document.body.append(script);
    return 'isForeign' in globalThis;
  });
}

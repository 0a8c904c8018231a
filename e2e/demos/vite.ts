import { expect } from '@playwright/test';
import { inNewTerminal, openPreview, PATIENCE, runImage } from './previews.ts';
import type { Demo } from './stage.ts';

const VITE = 'node_modules/.bin/vite';

export const vite: Demo = {
  title: 'A React application of a Vite development server in a preview, with hot reload',
  async play(stage) {
    const { page, visitor, picture } = stage;
    await runImage(stage, 'vite');
    await visitor.expectScreen(/[#$]$/, PATIENCE);
    await visitor.type(`cd /srv/project; ${VITE}`);
    await visitor.expectScreen(/ready in/, PATIENCE);
    const frame = await openPreview(stage, 5173);
    const button = frame.getByRole('button');
    const heading = frame.getByRole('heading');
    await expect(button).toHaveText('Pressed 0 times', { timeout: PATIENCE });
    await expect(heading).toHaveCSS('color', 'rgb(100, 108, 255)');
    for (let press = 1; press <= 3; press++) await button.click();
    await expect(button).toHaveText('Pressed 3 times');
    await picture('the application');

    await frame.evaluate(() => Object.assign(globalThis, { isSameDocument: true }));
    await inNewTerminal(stage, 'cd /srv/project/src; sed -i s/Vite/Hot-Vite/ Counter.jsx');
    await expect(heading).toHaveText('Hot-Vite in a browser tab', { timeout: PATIENCE });
    await visitor.type('sed -i "s/100, 108, 255/255, 60, 0/" style.css');
    await expect(heading).toHaveCSS('color', 'rgb(255, 60, 0)', { timeout: PATIENCE });
    await expect(button).toHaveText('Pressed 3 times');
    expect(await frame.evaluate(() => 'isSameDocument' in globalThis)).toBe(true);
    await picture('after changes of the text and the style');

    await visitor.type('mv Counter.jsx Right.jsx; echo "export function {" > Counter.jsx');
    const overlay = frame.locator('vite-error-overlay');
    await expect(overlay).toContainText('Counter.jsx', { timeout: PATIENCE });
    await picture('a mistake');
    await visitor.type('mv Right.jsx Counter.jsx');
    await expect(overlay).toHaveCount(0, { timeout: PATIENCE });

    await frame.evaluate(() => Object.assign(globalThis, { isSameDocument: true }));
    await page.getByRole('tab', { name: 'Container' }).click();
    await page.locator('.xterm-helper-textarea:visible').focus();
    await page.keyboard.press('Control+c');
    await visitor.expectScreen(/[#$]$/, PATIENCE);
    await picture('Vite has ended');
    await visitor.type(VITE);
    // The application reloads when Vite is back.
    await frame.waitForFunction(() => !('isSameDocument' in globalThis), undefined, { timeout: PATIENCE });
    await expect(button).toHaveText('Pressed 0 times', { timeout: PATIENCE });
    await picture('Vite is back');
  },
};

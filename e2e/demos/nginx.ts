import { expect } from '@playwright/test';
import { measureLatency, openPreview, PATIENCE, runImage } from './previews.ts';
import type { Demo } from './stage.ts';

export const nginx: Demo = {
  title: 'A page of nginx with its style sheet, in a preview',
  async play(stage) {
    await runImage(stage, 'nginx', { entrypoint: 'nginx', args: '-g "daemon off;"' });
    await expect(stage.page.getByText('Port 80 is open')).toBeVisible({ timeout: PATIENCE });
    await stage.picture('port 80 is open');
    const frame = await openPreview(stage, 80);
    const heading = frame.getByRole('heading');
    await expect(heading).toHaveText('nginx in a browser tab', { timeout: PATIENCE });
    await expect(heading).toHaveCSS('color', 'rgb(0, 100, 38)');
    const server = await frame.evaluate(async () => (await fetch('/')).headers.get('Server'));
    expect(server).toMatch(/^nginx/);
    await stage.picture('the page of nginx');
    const opening = stage.page.waitForEvent('popup');
    await stage.page.getByRole('link', { name: 'Open in a tab' }).click();
    const tab = await opening;
    await expect(tab.getByRole('heading')).toHaveCSS('color', 'rgb(0, 100, 38)', { timeout: PATIENCE });
    console.log(`  a small request: ${await measureLatency(frame, '/style.css')}`);

    await stage.visitor.button('Stop').click();
    await stage.visitor.expectExit(0);
    await tab.reload();
    await expect(tab.getByRole('heading')).toHaveText('The container is gone');
    await stage.visitor.button('Restart').click();
    await openPreview(stage, 80);
    // A restart keeps the address.
    await tab.reload();
    await expect(tab.getByRole('heading')).toHaveText('nginx in a browser tab', { timeout: PATIENCE });
    await stage.picture('nginx has been restarted');
  },
};

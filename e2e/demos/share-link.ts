import { BUSYBOX } from '../support/visitor.ts';
import type { Demo } from './stage.ts';

const SCRIPT = 'echo "Hello from $WHO, on $(uname -m) with $(nproc) CPUs"';

export const shareLink: Demo = {
  title: 'Fill in the form, share it as a link, and open the link as a friend would',
  async play({ page, url, visitor, picture }) {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(url);
    await visitor.image.fill(BUSYBOX);
    await visitor.openOptions();
    await visitor.field('Entrypoint').fill('sh -c');
    await visitor.field('Arguments').fill(`'${SCRIPT}'`);
    await visitor.addVariable('WHO', 'a friend');
    await visitor.field('CPUs').fill('2');
    await picture('the form');
    await visitor.button('Share').click();
    await visitor.field('Include the value of WHO').check();
    await picture('what the link tells');
    await visitor.button('Copy the link').click();
    await visitor.button('Link copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    console.log(`  the link: ${link}`);

    await page.goto('about:blank');
    await page.goto(link);
    await picture('what the friend sees');
    await visitor.run();
    await visitor.expectScreen(/Hello from a friend, on riscv64 with 2 CPUs/);
    await visitor.expectExit(0);
    await picture('what it says');
  },
};

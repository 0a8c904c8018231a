import type { Demo } from './stage.ts';

export const pickAndType: Demo = {
  title: 'Pick an image from the catalogue, and type into a real Linux',
  async play({ page, url, visitor, picture }) {
    await page.goto(url);
    await picture('the picker');
    await visitor.choose('BusyBox');
    await visitor.run();
    await visitor.expectPrompt();
    await visitor.command('uname -a');
    await picture('a prompt');
    for (const line of ['cat /proc/cpuinfo', 'free -m', 'ls --color=always /']) await visitor.command(line);
    await picture('a look around');
    await visitor.type('exit');
    await visitor.expectExit(0);
    await picture('the end');
  },
};

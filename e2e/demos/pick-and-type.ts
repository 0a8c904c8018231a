import type { Demo } from './stage.ts';

export const pickAndType: Demo = {
  title: 'Pick an image from the catalogue, and type into a real Linux',
  async play({ page, url, visitor, picture }) {
    await page.goto(url);
    await picture('the picker');
    await visitor.choose('busybox');
    await visitor.run();
    await visitor.expectPrompt();
    await visitor.type('uname -a');
    await visitor.expectScreen(/riscv64/);
    await picture('a prompt');
    await visitor.type('cat /proc/cpuinfo; free -m; ls --color=always /');
    await visitor.expectScreen(/proc.*\n(.*\n)*\/ #$/);
    await picture('a look around');
    await visitor.type('exit');
    await visitor.expectExit(0);
    await picture('the end');
  },
};

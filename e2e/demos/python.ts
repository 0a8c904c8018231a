import { hasSharedImages, sharedImage } from '../support/images.ts';
import type { Demo } from './stage.ts';

/** The image on Docker Hub. */
const PUBLIC_IMAGE = 'python:alpine';
/** Long enough for an image of 40 MB on a slow line and a hundred Python modules on a slow machine, in ms. */
const PATIENCE = 5 * 60_000;
const LINES = [
  'import platform, sys',
  'platform.machine(), sys.version.split()[0]',
  'sum(n * n for n in range(100_000))',
  "[f'{n:b}' for n in range(8)]",
];

export const python: Demo = {
  title: `A session in Python, in the image ${PUBLIC_IMAGE} of Docker Hub, or one in ../shared/images`,
  async play({ page, url, visitor, registry, picture }) {
    await page.goto(url);
    const image = hasSharedImages ? await registry.copy(sharedImage('python'), 'python') : PUBLIC_IMAGE;
    await visitor.image.fill(image);
    await visitor.openOptions();
    await visitor.field('Entrypoint').fill('python3');
    await visitor.field('Memory').fill('1G');
    await visitor.run();
    await visitor.layers.first().waitFor();
    await picture('the layers arrive');
    await visitor.expectScreen(/>>>$/, PATIENCE);
    for (const line of LINES) {
      await visitor.type(line);
      await visitor.expectScreen(/>>>$/);
    }
    await visitor.expectScreen(/'111'\]/);
    await picture('a session');
    await visitor.type('exit()');
    await visitor.expectExit(0);
    await picture('the end');
  },
};

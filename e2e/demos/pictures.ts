/**
 * `npm run pictures` takes pictures of the page's main states into dist/pictures, and updates those of the
 * README in docs/pictures.
 */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { inProject } from '../../scripts/setup/places.mjs';
import type { TestLayer } from '../../src/oci/testing/image.ts';
import { Gate } from '../support/faults.ts';
import { heavyBusybox } from '../support/images.ts';
import { BUSYBOX, linkTo } from '../support/visitor.ts';
import { onStage, type Stage } from './stage.ts';

const README_FOLDER = inProject('docs/pictures');
/** The size limit of a picture in the README, in bytes. */
const README_LIMIT = 150 << 10;

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const WEIGHT = 24 << 20;

/** @param path the path of a picture @param name its name in the README */
async function putIntoReadme(path: string, name: string): Promise<void> {
  const { size } = await stat(path);
  if (size > README_LIMIT) throw new Error(`${path} has ${size} bytes, more than ${README_LIMIT}`);
  await mkdir(README_FOLDER, { recursive: true });
  await copyFile(path, `${README_FOLDER}/${name}.png`);
}

async function picker({ page, url, visitor, picture }: Stage): Promise<void> {
  await page.goto(url, { waitUntil: 'networkidle' });
  await visitor.expectPrompt();
  await putIntoReadme(await picture('picker'), 'picker');
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture('picker dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(
    url + linkTo({ image: 'alpine', args: 'echo "hello', env: 'GREETING=hello', memory: '9G' }),
  );
  await visitor.field('Memory').scrollIntoViewIfNeeded();
  await picture('options with mistakes');
}

async function pulling({ page, url, visitor, moodyRegistry, picture }: Stage): Promise<void> {
  const image = heavyBusybox(WEIGHT);
  moodyRegistry.add('team/app:1', image);
  const gate = new Gate(moodyRegistry, image.layers[1] as TestLayer);
  await page.goto(url + linkTo({ image: `${moodyRegistry.host}/team/app:1` }));
  await visitor.run();
  await visitor.expectLayers(/verified|stored already/, /1[12](\.\d)? MB of 24 MB/);
  await picture('pulling');
  gate.open();
  await visitor.expectPrompt();
}

async function running({ page, url, visitor, picture }: Stage): Promise<void> {
  await page.goto(url + linkTo({ image: BUSYBOX, cpus: '2' }));
  await visitor.run();
  await visitor.expectPrompt();
  for (const line of ['uname -a', 'free -m', 'nproc', 'ls --color=always -l /']) await visitor.type(line);
  await visitor.expectScreen(/var\n\/ #$/);
  await picture('running');
  await page.emulateMedia({ colorScheme: 'dark' });
  await putIntoReadme(await picture('running dark'), 'running');
  await page.emulateMedia({ colorScheme: 'light' });
  await visitor.button('New terminal').click();
  await visitor.expectScreen(/[#$]$/);
  await visitor.type('ps');
  await visitor.expectScreen(/ps$/m);
  await picture('two terminals');
  await visitor.button('Files').click();
  await page.getByRole('treeitem').first().waitFor();
  await picture('files');
  await page.keyboard.press('Escape');
  await page.getByRole('tab').first().click();
  await visitor.type('exit');
  await visitor.expectExit(0);
  await picture('ended');
  await visitor.button('Storage').click();
  await page.getByRole('dialog').waitFor();
  await picture('storage');
}

async function problem({ page, url, visitor, moodyRegistry, picture }: Stage): Promise<void> {
  await page.goto(url + linkTo({ image: `${moodyRegistry.host}/team/none:1` }));
  await visitor.run();
  await visitor.expectProblem(/no such image/);
  await picture('a problem');
}

async function phone({ page, url, visitor, picture }: Stage): Promise<void> {
  await page.setViewportSize(PHONE);
  await page.goto(url, { waitUntil: 'networkidle' });
  await visitor.expectPrompt();
  await picture('phone picker');
  await visitor.choose('BusyBox');
  await visitor.run();
  await visitor.expectPrompt();
  for (const line of ['uname -m', 'ls --color=always /']) await visitor.command(line);
  await putIntoReadme(await picture('phone running'), 'phone');
  await page.setViewportSize(DESKTOP);
}

const folder = await onStage({ name: 'pictures', headed: false }, async (stage) => {
  for (const scene of [picker, pulling, running, problem, phone]) await scene(stage);
});
console.log(`pictures are in ${folder}, and those of the README in ${README_FOLDER}`);

/** `npm run demo -- NAME [--headed]` plays a demo on the real page. Without a name it lists the demos. */
import { parseArgs } from 'node:util';
import { USAGE } from '../../src/cli/usage.mjs';
import { httpServer } from './http-server.ts';
import { nginx } from './nginx.ts';
import { pickAndType } from './pick-and-type.ts';
import { python } from './python.ts';
import { shareLink } from './share-link.ts';
import { type Demo, onStage } from './stage.ts';
import { vite } from './vite.ts';

const DEMOS: Readonly<Record<string, Demo>> = {
  'pick-and-type': pickAndType,
  'share-link': shareLink,
  python,
  nginx,
  'http-server': httpServer,
  vite,
};

function list(): void {
  console.log(`usage: ${USAGE.demo}\n`);
  for (const [name, { title }] of Object.entries(DEMOS)) console.log(`  ${name.padEnd(16)}${title}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { headed: { type: 'boolean', default: false } },
});
const [name, ...others] = positionals;
const demo = name !== undefined && Object.hasOwn(DEMOS, name) ? DEMOS[name] : undefined;
if (name !== undefined && demo && others.length === 0) {
  console.log(demo.title);
  const folder = await onStage({ name: `demos/${name}`, headed: values.headed }, demo.play);
  console.log(`pictures are in ${folder}`);
} else {
  list();
  if (name !== undefined) process.exitCode = 1;
}

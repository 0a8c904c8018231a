/**
 * `npx tsx e2e/starts.ts [COUNT]` starts hello-world in Firefox 300 times, or COUNT times, and says how many
 * of these starts hung. Faults of browsers that lose a message or a worker are rare.
 */
import { firefox } from '@playwright/test';
import { FIREFOX } from './browser.ts';
import buildPage from './build.ts';
import { forgetWorkers } from './support/firefox.ts';
import { startLinuxRun } from './support/linuxrun-server.ts';
import { startAgain } from './support/starts.ts';
import { Visitor } from './support/visitor.ts';

await buildPage();
const server = await startLinuxRun([]);
const browser = await firefox.launch(FIREFOX);
await forgetWorkers(browser);
const page = await browser.newPage({ baseURL: server.pageUrl });
page.setDefaultTimeout(120_000);
const { times, hung, replaced } = await startAgain(
  new Visitor(page),
  Number(process.argv[2] ?? 300),
  (start) => {
    if (start % 20 === 0) console.log(`${start} starts`);
  },
);
for (const each of hung) console.log(each);
const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? Number.NaN);
console.log(
  `${hung.length} hung, workers of ${replaced} were replaced; from click to end: median ${at(0.5)} ms, longest ${at(1)} ms`,
);
await browser.close();
await server.close();
process.exitCode = hung.length > 0 ? 1 : 0;

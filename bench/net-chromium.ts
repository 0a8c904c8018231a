/** Measures a download in a plain Chromium, behind our server's relay. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHROMIUM } from '../e2e/browser.ts';
import { BUILT, buildPage, rendererTime } from './chromium.ts';
import { withFolder } from './folder.ts';
import { KERNEL } from './linux.ts';
import { PUBLIC } from './platform.ts';
import { startAlone } from './process.ts';
import { processTime } from './threads.ts';
import { WORKLOADS_FOLDER } from './workloads.ts';

/** As Chromium prints what a page logs. */
const CONSOLE = /CONSOLE.*?\] "(.*)", source: /;
const PATIENCE = 120_000;
/** Processor time of a server that does nothing for SETTLE, in s, and that time in ms. */
const IDLE = 0.1;
const SETTLE = 1000;

export interface ChromiumDownload {
  readonly output: string;
  /** Processor time of the page with its machine, and of the relay, in seconds. */
  readonly pageCpu: number;
  readonly relayCpu: number;
}

/**
 * Runs `bench/guest/net.c` in a page.
 * @param wasm the path of the core
 * @param host the address by which the guest knows the loopback interface
 */
export async function runInChromium(
  wasm: string,
  host: string,
  words: readonly string[],
): Promise<ChromiumDownload> {
  await buildPage(wasm);
  const script = join(import.meta.dirname, 'net-relay.ts');
  const server = startAlone(process.execPath, [
    ...['--import', 'tsx', script, host],
    ...[BUILT, WORKLOADS_FOLDER, PUBLIC],
  ]);
  const relayTime = () => processTime(server.pid as number);
  try {
    const [line] = await once(server.stdout, 'data');
    const url = String(line).trim();
    await compressAll(url, relayTime);
    const query = new URLSearchParams(words.map((word) => ['word', word]));
    return await withFolder((profile) => measurePage(`${url}net.html?${query}`, profile, relayTime));
  } finally {
    server.kill();
  }
}

/** Our server compresses a file after the first request for it. */
async function compressAll(url: string, relayTime: () => number): Promise<void> {
  const headers = { 'Accept-Encoding': 'br' };
  for (const file of ['emulator.wasm', KERNEL, 'guest.cpio']) await fetch(new URL(file, url), { headers });
  for (let before = Number.NEGATIVE_INFINITY; relayTime() - before > IDLE; await sleep(SETTLE))
    before = relayTime();
}

async function measurePage(url: string, profile: string, relayTime: () => number): Promise<ChromiumDownload> {
  const options = ['--headless=new', '--enable-logging=stderr', `--user-data-dir=${profile}`];
  const browser = spawn(CHROMIUM.executablePath, [...CHROMIUM.args, ...options, url], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const timer = setTimeout(() => browser.kill(), PATIENCE);
  let output = '';
  let [pageBefore, relayBefore] = [0, 0];
  try {
    for await (const line of createInterface({ input: browser.stderr })) {
      const [, text] = CONSOLE.exec(line) ?? [];
      if (text === undefined) continue;
      output += `${text.replaceAll('\\n', '\n')}\n`;
      if (/^begin$/m.test(text)) [pageBefore, relayBefore] = [rendererTime(), relayTime()];
      if (/^net ok/m.test(output))
        return { output, pageCpu: rendererTime() - pageBefore, relayCpu: relayTime() - relayBefore };
      if (/^(error|end)/m.test(output)) break;
    }
    throw new Error(`the network cannot be measured in Chromium: ${output}`);
  } finally {
    clearTimeout(timer);
    if (browser.kill()) await once(browser, 'exit');
  }
}

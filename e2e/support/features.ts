import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { forPrograms, startLinuxRun } from './linuxrun-server.ts';

const WORKERS = /\/assets\/(session-worker|browser-(machine|hart|translator))-[^/]*\.js$/;

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const NAMED = { chromium: /Chromium (\d+)/, firefox: /Firefox ESR (\d+)/, webkit: /WebKitGTK (\d+\.\d+)/ };

/** The version of a browser with which the page is tested, as README says. */
export function testedVersion(name: keyof typeof NAMED): number {
  const [, version] = NAMED[name].exec(README) ?? [];
  if (version === undefined) throw new Error(`README does not name ${name}`);
  return Number(version);
}

export interface ChangedSite {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page to a browser from which a script has taken a feature away: it runs before the code of the
 * page and of its workers. Playwright does not see the requests of workers that workers start.
 */
export async function serveChanged(page: Page, script: string): Promise<ChangedSite> {
  await page.addInitScript(script);
  const server = await startLinuxRun([]);
  const pass = async (url: string, response: ServerResponse) => {
    const answer = await fetch(new URL(url, forPrograms(server.pageUrl)));
    const body = Buffer.from(await answer.arrayBuffer());
    // The body is not compressed any more, and may be longer.
    const { 'content-encoding': _, 'content-length': __, ...headers } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, headers);
    response.end(WORKERS.test(url) ? `${script}\n${body}` : body);
  };
  const front = createServer(({ url = '' }, response) => {
    // The page still fetches files when the test ends.
    pass(url, response).catch(() => response.destroy());
  }).listen(0);
  await once(front, 'listening');
  return {
    url: `http://linuxrun.localhost:${(front.address() as AddressInfo).port}/`,
    close: async () => {
      front.closeAllConnections();
      front.close();
      await server.close();
    },
  };
}

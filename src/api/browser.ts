/** The programming interface in a browser. */

import { parseMirror } from '../options/mirror.mjs';
import { browserHost } from './browser-host.ts';
import type { Configuration } from './configuration.ts';
import { installHost } from './host.ts';
import { loadingInWorker } from './image-client.ts';

export * from './public.ts';

const page = globalThis.document?.baseURI ?? globalThis.location.href;
// scripts/setup/package.mjs leads to the package's assets. The page says where its own are.
let assets = folder(new URL(/* @vite-ignore */ '../../public/', import.meta.url));
let server = folder(new URL('/', page));
let mirror: string | undefined;

/** Changes where later commands and containers find their files. */
export function configure(configuration: Configuration): void {
  if (configuration.assets !== undefined) assets = folder(new URL(configuration.assets, page));
  if (configuration.registryMirror !== undefined) mirror = parseMirror(String(configuration.registryMirror));
  if (configuration.server !== undefined) server = folder(new URL(configuration.server, page));
}

/** The URL of a folder ends in a slash. */
function folder({ href }: URL): string {
  return href.endsWith('/') ? href : `${href}/`;
}

const places = () => ({ assets, server, mirror });
installHost(browserHost(places, loadingInWorker(places)));

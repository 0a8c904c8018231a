/** `linuxrun version`. */
import { readFile } from 'node:fs/promises';
import { formatObject } from '../docker/format.ts';
import type { VersionWords } from '../docker/words.ts';
import { write } from './program.ts';

export async function dockerVersion({ format }: VersionWords): Promise<number> {
  const description = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(description) as { version: string };
  const { platform, arch } = process;
  const client = { Version: version, NodeVersion: process.versions.node, Os: platform, Arch: arch };
  const text = format
    ? formatObject({ Client: client }, format)
    : `linuxrun ${version} (Node ${client.NodeVersion})\n`;
  await write(process.stdout, text);
  return 0;
}

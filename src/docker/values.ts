/** Reads the values of flags and operands. The errors say what is wrong with the value. */
import { checkHostname } from '../options/check.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { checkDevices } from '../options/devices.mjs';
import { parseCpus } from '../options/machine-size.mjs';
import { type FolderMount, parseMount } from '../options/mounts.mjs';
import { type PublishedPort, parsePort } from '../options/published-ports.mjs';
import { parseTmpfs } from '../options/tmpfs.mjs';

import type { Place } from './words.ts';

/** `CONTAINER:PATH`. A path of this machine with a colon begins with `/` or `.`. */
export function parsePlace(text: string): Place {
  const at = text.indexOf(':');
  const isLocal = at <= 0 || /^[./]/.test(text) || /^[a-z]:[\\/]/i.test(text);
  return isLocal
    ? { container: undefined, path: text }
    : { container: text.slice(0, at), path: text.slice(at + 1) };
}

/** A machine has whole processors. 0 is Docker's default. */
export function roundCpus(text: string): number | undefined {
  if (!/^\d*\.?\d+$/.test(text)) throw new Error(`"${text}" is not a number`);
  return Number(text) === 0 ? undefined : parseCpus(String(Math.ceil(Number(text))));
}

/** Like `LINUXRUN_PORTS`. As in Docker, without a port of this machine any free one is taken. */
export function parsePublished(text: string): PublishedPort[] {
  return parsePort(text.replace(/^(?=\d+(?:\/\w+)?$)/, '0:').replace(/^(.+?)::(?=\d+(?:\/\w+)?$)/, '$1:0:'));
}

/** @throws OptionError */
export function parseName(text: string): string {
  checkContainerName(text);
  return text;
}

export function parseHostname(text: string): string {
  checkHostname(text);
  return text;
}

export function parseNetwork(text: string): 'none' | 'bridge' {
  if (text === 'none') return 'none';
  if (text === 'bridge' || text === 'default') return 'bridge';
  if (text === 'host')
    throw new Error(
      'a container has a kernel of its own and cannot share the network of this machine; use -p',
    );
  throw new Error('the networks are none and bridge');
}

/** Docker's `PATH:PATH:PERMISSIONS`, whose path in the container is the same here. */
export function parseDevice(text: string): string {
  const [device = '', inside = device, permissions = 'rwm'] = text.split(':');
  if (!/^[rwm]{1,3}$/.test(permissions) || inside !== device)
    throw new Error('a device has its own name in the container, and all permissions');
  checkDevices([device]);
  return device;
}

export function parseFolder(text: string): string {
  if (!text.startsWith('/'))
    throw new Error(`the working directory '${text}' is invalid, it needs to be an absolute path`);
  return text;
}

export function checkTmpfs(text: string): string {
  parseTmpfs(text);
  return text;
}

/** A volume of Docker's that has a folder of this computer. */
export function parseVolume(text: string): FolderMount {
  if (/^\/[^:]*$/.test(text))
    throw new Error(
      `${text} is already as temporary as all other files; write DIR:${text} to share a folder`,
    );
  return parseMount(text);
}

export function parseSeconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error('it is not a number of seconds');
  return Number(text);
}

/** As in Docker, anything else than a number means all lines. */
export function parseTail(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export function oneOf<T extends string>(values: readonly T[], text: string): T {
  const value = values.find((each) => each === text);
  if (value === undefined) throw new Error(`it must be one of ${values.join(', ')}`);
  return value;
}

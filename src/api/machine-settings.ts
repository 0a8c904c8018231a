/** The machine of a command or container, as its user asks for it. */

import type { NetworkOptions } from '../machine/machine.ts';
import { fitMemory } from '../machine/memory.ts';
import { cpusProblem, memoryProblem } from '../options/limits.mjs';
import { parseRelay } from '../options/network.mjs';
import { OptionError } from '../options/option-error.mjs';
import { checkDiskSize, parseSize } from '../options/sizes.mjs';
import { containerHost } from './host.ts';

/** Bytes, or a number with a unit, such as `512M` or `2G`. */
export type Size = number | string;

/**
 * - `none`: no network
 * - `internet`: the internet, but neither this machine nor private networks
 * - `relay`: an Ethernet behind that relay (`wss://…`), which sees all traffic
 */
export type Network = 'none' | 'internet' | { readonly relay: string };

export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly network: NetworkOptions | undefined;
}

interface Asked {
  readonly cpus?: number | undefined;
  readonly memory?: Size | undefined;
  readonly disk?: Size;
  readonly network?: Network;
}

/** @throws OptionError */
export function machineOf({
  cpus = 1,
  memory = '512M',
  disk = '1G',
  network = 'internet',
}: Asked): MachineSize {
  const [memoryBytes, diskBytes] = [bytesOf(memory), bytesOf(disk)];
  const problem = cpusProblem(cpus) ?? memoryProblem(memoryBytes);
  if (problem !== undefined) throw new OptionError(problem);
  checkDiskSize(diskBytes, String(disk));
  return { cpus, memoryBytes: fitMemory(cpus, memoryBytes), diskBytes, network: networkOf(network) };
}

function bytesOf(size: Size): number {
  return typeof size === 'number' ? size : parseSize(size);
}

function networkOf(network: Network): NetworkOptions | undefined {
  if (network === 'none') return undefined;
  if (network !== 'internet' && typeof network?.relay !== 'string')
    throw new OptionError(`the network is none, internet or { relay }, not ${JSON.stringify(network)}`);
  const relay = network === 'internet' ? 'on' : parseRelay(network.relay);
  if (relay === 'on') return containerHost().network;
  const reason = 'The relay is off in the options: name one (wss://…)';
  return { relay: relay === 'off' ? { kind: 'off', reason } : { kind: 'foreign', url: relay } };
}

import { join } from 'node:path';
import { parseSize } from '../../container/sizes.mjs';
import type { QuotaLimits } from './quotas.ts';
import { DEFAULT_REGISTRIES } from './registries.ts';
import type { UpstreamOptions } from './upstream.ts';

export interface ProxyLimits extends QuotaLimits {
  /** The limit until an answer begins, in ms. Our client waits longer. */
  readonly answer: number;
  /** The longest pause of a registry or a client in the middle of a blob, in ms. */
  readonly stall: number;
  /** The limit for a whole request, in ms. */
  readonly total: number;
  /** The largest manifest or list of tags, in bytes. */
  readonly document: number;
  /** The largest blob, in bytes. */
  readonly blob: number;
}

export interface RegistryProxyOptions extends UpstreamOptions {
  /** Entries for `Registries`. The default is the well-known public registries. */
  readonly registries?: readonly string[] | undefined;
  /** The folder for blobs and manifests, and its limit in bytes. By default there is no cache. */
  readonly cache?: { readonly folder: string; readonly capacity: number } | undefined;
  /**
   * Whether a proxy in front of this server writes X-Forwarded-For, so that its last address is the client's.
   */
  readonly trustProxy?: boolean | undefined;
  readonly limits?: Partial<ProxyLimits> | undefined;
}

export const DEFAULT_LIMITS: ProxyLimits = {
  concurrent: 96,
  // Many users may share an address, and each pulls three layers at the same time.
  concurrentPerClient: 24,
  burst: 600,
  rate: 10,
  answer: 10_000,
  stall: 60_000,
  total: 60 * 60_000,
  document: 4 << 20,
  blob: 16 * 2 ** 30,
};

const DEFAULT_CAPACITY = 4 * 2 ** 30;

/**
 * Reads the variables LINUXRUN_REGISTRIES, LINUXRUN_REGISTRY_CACHE, LINUXRUN_REGISTRY_CACHE_SIZE and
 * LINUXRUN_TRUST_PROXY.
 * @param folder the default folder of the cache
 * @throws Error that names the wrong variable
 */
export function readProxyOptions(
  variables: Readonly<Record<string, string | undefined>>,
  folder: string,
): RegistryProxyOptions {
  const capacity = readSize(variables.LINUXRUN_REGISTRY_CACHE_SIZE);
  return {
    registries: readRegistries(variables.LINUXRUN_REGISTRIES),
    cache:
      capacity === 0
        ? undefined
        : { folder: variables.LINUXRUN_REGISTRY_CACHE || join(folder, 'registry'), capacity },
    trustProxy: readSwitch('LINUXRUN_TRUST_PROXY', variables.LINUXRUN_TRUST_PROXY),
  };
}

/** Reads a list in which `default` stands for the well-known registries. */
function readRegistries(text: string | undefined): string[] {
  return (text || 'default')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .flatMap((entry) => (entry === 'default' ? DEFAULT_REGISTRIES : entry));
}

function readSize(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_CAPACITY;
  try {
    return parseSize(text);
  } catch (error) {
    throw new Error(`LINUXRUN_REGISTRY_CACHE_SIZE: ${(error as Error).message}`);
  }
}

function readSwitch(name: string, text = ''): boolean {
  if (!['', '0', '1'].includes(text)) throw new Error(`${name} must be 1 or 0, not "${text}"`);
  return text === '1';
}

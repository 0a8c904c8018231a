import { join } from 'node:path';
import { parseSize } from '../../container/sizes.ts';
import type { QuotaLimits } from './quotas.ts';
import { DEFAULT_REGISTRIES } from './registries.ts';
import type { UpstreamOptions } from './upstream.ts';

export interface ProxyLimits extends QuotaLimits {
  /** Until an answer begins, ms: below what our client waits. */
  readonly answer: number;
  /** Longest pause of a registry or a client in the middle of a blob, ms. */
  readonly stall: number;
  /** Of a whole request, ms. */
  readonly total: number;
  /** Of a manifest or a list of tags, bytes. */
  readonly document: number;
  /** Of a blob, bytes. */
  readonly blob: number;
}

export interface RegistryProxyOptions extends UpstreamOptions {
  /** As `Registries` takes them; the well-known public ones unless given. */
  readonly registries?: readonly string[] | undefined;
  /** Where blobs and manifests are kept, and how many bytes of them; nothing is unless given. */
  readonly cache?: { readonly folder: string; readonly capacity: number } | undefined;
  /** The last address in X-Forwarded-For is the client's: a proxy in front of this server wrote it. */
  readonly trustProxy?: boolean | undefined;
  readonly limits?: Partial<ProxyLimits> | undefined;
}

export const DEFAULT_LIMITS: ProxyLimits = {
  concurrent: 96,
  // Many may share an address, and each pulls three layers at once.
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
 * The options that the variables LINUXRUN_REGISTRIES, LINUXRUN_REGISTRY_CACHE, LINUXRUN_REGISTRY_CACHE_SIZE and
 * LINUXRUN_TRUST_PROXY ask for.
 * @param folder where to cache unless they say otherwise
 * @throws Error that says which of them is wrong
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

/** `default` stands for the well-known ones. */
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

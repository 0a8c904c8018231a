import { join } from 'node:path';
import { parseMirror } from '../../options/mirror.mjs';
import { parseSize } from '../../options/sizes.mjs';
import { parseSwitch } from '../../options/switch.mjs';
import type { QuotaLimits } from '../quotas.ts';
import { DEFAULT_REGISTRIES, Registries } from './registries.ts';
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
  /** The origin of a mirror of Docker Hub, which may be on a private network and without TLS. */
  readonly mirror?: string | undefined;
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

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables LINUXRUN_REGISTRIES, LINUXRUN_REGISTRY_MIRROR, LINUXRUN_REGISTRY_CACHE,
 * LINUXRUN_REGISTRY_CACHE_SIZE and LINUXRUN_TRUST_PROXY; an empty one counts as not set.
 * @param folder the default folder of the cache
 * @throws Error that names the wrong variable
 */
export function readProxyOptions(variables: Variables, folder: string): RegistryProxyOptions {
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = variables[name];
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`);
    }
  };
  const capacity = read('LINUXRUN_REGISTRY_CACHE_SIZE', parseSize) ?? DEFAULT_CAPACITY;
  return {
    registries: read('LINUXRUN_REGISTRIES', parseRegistries) ?? DEFAULT_REGISTRIES,
    mirror: read('LINUXRUN_REGISTRY_MIRROR', parseMirror),
    cache:
      capacity === 0
        ? undefined
        : { folder: variables.LINUXRUN_REGISTRY_CACHE || join(folder, 'registry'), capacity },
    trustProxy: read('LINUXRUN_TRUST_PROXY', parseSwitch) ?? false,
  };
}

/** Reads a list in which `default` stands for the well-known registries. */
function parseRegistries(text: string): string[] {
  const entries = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .flatMap((entry) => (entry === 'default' ? DEFAULT_REGISTRIES : entry));
  // Throws for an entry that is none.
  new Registries(entries);
  return entries;
}

import type { ContainerRecord, Json } from '../storage/container-store.ts';
import type { PublishedPort } from './host.ts';
import type { Network } from './machine-settings.ts';

/** What a container runs, with which one that is kept starts again. */
export interface LaunchOptions {
  readonly entrypoint?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  /** `NAME=value` each. */
  readonly env: readonly string[];
  readonly currentDir?: string | undefined;
  readonly user?: string | undefined;
  readonly hostname?: string | undefined;
  readonly init?: boolean | undefined;
  readonly devices: readonly string[];
  readonly readOnly?: boolean | undefined;
  readonly tmpfs: readonly string[];
  readonly ports: readonly PublishedPort[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly network: Network;
  /** Whether it has a terminal. */
  readonly terminal: boolean;
}

/** How the record of a container describes its runs. */
export interface KeptOptions {
  readonly launch: LaunchOptions;
  /** The status with which it has ended; undefined if it runs, or was killed with its owner. */
  readonly status?: number | undefined;
}

/** How a record says that its container runs. */
export function keptOptions({ options }: ContainerRecord): KeptOptions {
  return options as unknown as KeptOptions;
}

/** The form in which options are stored, without those that are not given. */
export function toJson(options: KeptOptions | LaunchOptions): Json {
  return JSON.parse(JSON.stringify(options));
}

/** The configuration of an image (OCI image specification, config.md). */

import { architectureOf } from '../options/platform.mjs';
import { emulated, type ImageKey } from '../storage/image-store.ts';
import { isObject, type JsonObject } from '../text/json.ts';
import { type Digest, isDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import { asArray, asObject, asString, asStrings, parseJson } from './json.ts';
import { type Platform, parsePlatform } from './manifest.ts';

/** How to run the image's program. Fields that the image leaves out are empty. */
export interface ImageConfig {
  /** The processor that its programs are for, such as `riscv64` or `arm64`. */
  readonly architecture: string;
  /** The program, with its first arguments. */
  readonly entrypoint: readonly string[];
  /** The arguments, or the program with them if there is no entrypoint. */
  readonly cmd: readonly string[];
  /** Each `NAME=value`. */
  readonly env: readonly string[];
  /** The working directory. */
  readonly workingDir: string;
  /** `user`, `uid`, `user:group` and so on. */
  readonly user: string;
  /** Such as `SIGTERM` or `15`. */
  readonly stopSignal: string;
  /** The folders that the image declares as volumes. */
  readonly volumes: readonly string[];
  /** Such as `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** Its labels by their names. */
  readonly labels: Readonly<Record<string, string>>;
}

/** An image in the store: its configuration and its layers, which are enough to run it. */
export interface Image {
  /** The canonical reference. */
  readonly reference: string;
  /** The digest of its manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
  /** The diffIDs of its layers, the lowest first. */
  readonly layers: readonly Digest[];
}

export interface ConfigFile {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly diffIds: readonly Digest[];
}

/** @throws ImageError when the file does not follow the specification */
export function parseConfigFile(bytes: Uint8Array): ConfigFile {
  const file = asObject(parseJson(bytes, 'the configuration'), 'the configuration');
  const rootfs = asObject(file.rootfs, 'the "rootfs" of the configuration');
  if (rootfs.type !== 'layers') throw new ImageError('the root file system is not made of layers');
  const diffIds = asArray(rootfs.diff_ids, 'the list of diffIDs').map((item) => {
    if (!isDigest(item)) throw new ImageError('a diffID is not a digest');
    return item;
  });
  const platform = parsePlatform(file);
  return { platform, config: parseConfig(file.config ?? {}, platform), diffIds };
}

function parseConfig(value: unknown, { architecture }: Platform): ImageConfig {
  const json = asObject(value, 'the "config" of the configuration');
  const env = asStrings(json.Env, '"Env"');
  return {
    architecture: architectureOf(architecture) ?? architecture,
    entrypoint: commandLine(json.Entrypoint, '"Entrypoint"'),
    cmd: commandLine(json.Cmd, '"Cmd"'),
    env: env.filter((assignment) => assignment.indexOf('=') > 0),
    workingDir: asString(json.WorkingDir, '"WorkingDir"'),
    user: asString(json.User, '"User"'),
    stopSignal: asString(json.StopSignal, '"StopSignal"'),
    volumes: keysOf(json.Volumes, '"Volumes"'),
    exposedPorts: keysOf(json.ExposedPorts, '"ExposedPorts"'),
    labels: parseLabels(json.Labels),
  };
}

/** The processor of an image in its record; undefined for the machine's own. */
export function emulatedIn({ architecture }: ImageConfig): ImageKey['architecture'] {
  const known = architectureOf(architecture);
  return known && emulated(known);
}

/** Early versions of Docker wrote a single string. */
function commandLine(value: unknown, what: string): string[] {
  return asStrings(typeof value === 'string' ? [value] : value, what);
}

/** Reads a set in the form that Go writes. */
function keysOf(value: unknown, what: string): string[] {
  return isObject(value) ? Object.keys(value).map((key) => asString(key, what)) : [];
}

function parseLabels(value: unknown): Record<string, string> {
  const labels: JsonObject = isObject(value) ? value : {};
  return Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, asString(text, '"Labels"')]));
}

/**
 * The accounts that `docker login` keeps: in the file config.json, or in a credential helper, a program that
 * the file names. Everything in the file is checked, and a helper has limited time and output.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '../api/public.ts';
import { isObject } from '../text/json.ts';

/** Docker Hub's names in the file. The first is the one under which Docker stores its account. */
const HUB_KEYS = ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io'];
const HUB = 'docker.io';
const MAX_FILE = 1 << 20;
const MAX_HELPER_OUTPUT = 64 << 10;
const HELPER_TIMEOUT = 10_000;
/** Part of a program's name, so it may not lead elsewhere. */
const HELPER_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
/** Stands for a user name where the secret is a token of another protocol. */
const IDENTITY_TOKEN = '<token>';

export interface Account {
  readonly credentials?: Credentials | undefined;
  /** Why an account that may be there cannot be used. */
  readonly problem?: string | undefined;
}

/** A problem with the file or a helper; one line. */
class ConfigProblem extends Error {}

/** @returns the path of Docker's file, which may not exist */
export function dockerConfigFile(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
}

/**
 * Finds the account for a registry, and for no other.
 * @param registry host, with its port if it has one
 */
export async function findAccount(
  registry: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Account> {
  const file = dockerConfigFile(env);
  try {
    const config = await readConfig(file);
    const helped = await askHelper(config, registry);
    return helped ? { credentials: helped } : { credentials: readAuth(config, registry) };
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error;
    return { problem: `${file}: ${error.message}` };
  }
}

async function readConfig(file: string): Promise<Record<string, unknown>> {
  let config: unknown;
  try {
    config = JSON.parse(await readStart(file));
  } catch (error) {
    if (error instanceof ConfigProblem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new ConfigProblem(code ? `cannot be read (${code})` : 'is not JSON');
  }
  if (!isObject(config)) throw new ConfigProblem('is not a JSON object');
  return config;
}

/** Reads a file that may be anything. Opening a pipe must not wait for a writer. */
async function readStart(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new ConfigProblem('is not a file');
    if (info.size > MAX_FILE) throw new ConfigProblem(`is larger than ${MAX_FILE} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE), 0, MAX_FILE, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * Returns the first value of a registry in an object with registries as keys, which old files write as URLs.
 */
function valueFor(object: unknown, registry: string): unknown {
  if (!isObject(object)) return undefined;
  const keys = Object.keys(object);
  const wanted = registry === HUB ? HUB_KEYS : [registry];
  const found =
    wanted.find((key) => Object.hasOwn(object, key)) ?? keys.find((key) => hostOf(key) === registry);
  return found === undefined ? undefined : object[found];
}

function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
  return HUB_KEYS.includes(host) ? HUB : host;
}

function readAuth(config: Record<string, unknown>, registry: string): Credentials | undefined {
  const entry = valueFor(config.auths, registry);
  if (entry === undefined) return undefined;
  if (!isObject(entry)) throw new ConfigProblem(`the entry of ${registry} is not an object`);
  const { auth, username, password, identitytoken } = entry;
  if (identitytoken) throw identityToken(registry);
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  // An entry without an account says that a helper has it.
  if (auth === undefined || auth === '') return undefined;
  const [, name, secret] = /^([^:]+):(.*)$/s.exec(decodeBase64(auth)) ?? [];
  if (name === undefined || secret === undefined)
    throw new ConfigProblem(`the entry of ${registry} has no "auth" of the form base64(user:password)`);
  // Docker pads old passwords with zeros.
  return { username: name, password: secret.replace(/\0+$/, '') };
}

function decodeBase64(text: unknown): string {
  return typeof text === 'string' ? Buffer.from(text, 'base64').toString('utf8') : '';
}

function identityToken(registry: string): ConfigProblem {
  return new ConfigProblem(`the account of ${registry} is an identity token, which linuxrun cannot use`);
}

/** @returns undefined without a helper, or when the helper has no account for the registry */
async function askHelper(
  { credHelpers, credsStore }: Record<string, unknown>,
  registry: string,
): Promise<Credentials | undefined> {
  const name = valueFor(credHelpers, registry) ?? credsStore;
  if (name === undefined || name === '') return undefined;
  if (typeof name !== 'string' || !HELPER_NAME.test(name))
    throw new ConfigProblem(`the credential helper of ${registry} has no valid name`);
  const program = `docker-credential-${name}`;
  const output = await runHelper(program, registry === HUB ? (HUB_KEYS[0] as string) : registry);
  if (output === undefined) return undefined;
  const { Username: username, Secret: password } = parseAnswer(output, program);
  if (username === IDENTITY_TOKEN) throw identityToken(registry);
  if (typeof username !== 'string' || typeof password !== 'string')
    throw new ConfigProblem(`${program} has answered without a user name and secret`);
  return { username, password };
}

function parseAnswer(output: string, program: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(output);
    if (isObject(answer)) return answer;
  } catch {
    // Falls through to an error without the output, which may be a secret.
  }
  throw new ConfigProblem(`${program} has not answered with a JSON object`);
}

/**
 * Runs `docker-credential-NAME get`, whose protocol is in the documentation of docker-credential-helpers.
 * @returns its output; undefined if there is no such program or it fails, as it does without an account
 */
function runHelper(program: string, server: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const helper = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    const stop = (problem: string) => {
      helper.kill('SIGKILL');
      // Processes that it has started write to it too.
      helper.stdout.destroy();
      reject(new ConfigProblem(`${program} ${problem}`));
    };
    const timer = setTimeout(
      () => stop(`has not answered within ${HELPER_TIMEOUT / 1000} s`),
      HELPER_TIMEOUT,
    );
    helper.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > MAX_HELPER_OUTPUT) stop('answers with too much');
    });
    helper.on('error', () => resolve(undefined));
    helper.on('close', (status) => {
      clearTimeout(timer);
      resolve(status === 0 ? output : undefined);
    });
    helper.stdin.on('error', () => {}).end(server);
  });
}

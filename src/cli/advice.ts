/** What the user of the command line can do about an image that cannot be loaded. */

import { ImageError } from '../api/errors.ts';
import type { Credentials } from '../api/public.ts';
import type { RegistryReference } from '../api/references.ts';
import { platformOf } from '../options/platform.mjs';
import { clean } from '../text/message.ts';
import { type Account, dockerConfigFile, findAccount } from './docker-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const ACCOUNT_VARIABLES = 'LINUXRUN_REGISTRY_USER and LINUXRUN_REGISTRY_PASSWORD';
export const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
/** How many stored images are named. */
const NAMED = 5;

/** The account for one registry: the user's own, or else that of `docker login`, which is asked for once. */
export class Accounts {
  readonly #registry: string;
  readonly #given: Credentials | undefined;
  readonly #env: Environment;
  #found: Promise<Account> | undefined;

  constructor({ registry }: RegistryReference, given: Credentials | undefined, env: Environment) {
    this.#registry = registry;
    this.#given = given;
    this.#env = env;
  }

  readonly find = async (): Promise<Credentials | undefined> => {
    if (this.#given) return this.#given;
    this.#found ??= findAccount(this.#registry, this.#env);
    return (await this.#found).credentials;
  };

  /** Says which account the registry has refused, and how to give another. */
  async advice(): Promise<string> {
    if (this.#given) return `the account is that of ${ACCOUNT_VARIABLES}`;
    const { credentials, problem } = (await this.#found) ?? {};
    const file = dockerConfigFile(this.#env);
    if (credentials) return `the account is that of ${file}; ${ACCOUNT_VARIABLES} name another`;
    const login = this.#registry === 'docker.io' ? 'docker login' : `docker login ${this.#registry}`;
    return `to sign in, set ${ACCOUNT_VARIABLES}, or run ${login}${problem ? ` (${problem})` : ''}`;
  }
}

interface ListedImage {
  readonly reference: string;
  /** Of programs that are emulated. */
  readonly architecture?: string | undefined;
}

interface Advisers {
  readonly accounts: Accounts;
  readonly listStored: () => Promise<readonly ListedImage[]>;
  readonly env: Environment;
}

/** Adds to the error of a registry what the user can do. */
export async function withAdvice(error: unknown, { accounts, listStored, env }: Advisers): Promise<unknown> {
  if (!(error instanceof ImageError)) return error;
  const { kind, message } = error;
  const advice: string[] = [];
  if (kind === 'denied' || kind === 'rate-limit') advice.push(await accounts.advice());
  if (kind === 'network') advice.push(...proxyAdvice(env), await storedAdvice(listStored));
  return advice.length === 0
    ? error
    : new ImageError([message, ...advice].join('; '), kind, { cause: error });
}

function proxyAdvice(env: Environment): string[] {
  const variable = PROXY_VARIABLES.find((name) => env[name]);
  return variable ? [`linuxrun connects directly, not through the proxy of ${variable}`] : [];
}

/** What runs without a network. */
async function storedAdvice(listStored: Advisers['listStored']): Promise<string> {
  // The registry's error matters more than one of the store.
  const images = await listStored().catch(() => []);
  const names = images
    .filter(({ reference }) => !/^(oci|file):/.test(reference))
    .map(({ reference, architecture }) =>
      architecture === undefined ? reference : `${reference} for ${platformOf(architecture)}`,
    );
  if (names.length === 0) return 'no image of a registry is stored yet';
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `stored and ready to run: ${names.slice(0, NAMED).map(clean).join(', ')}${more}`;
}

import type { PullEvent } from '../oci/pull.ts';
import type { Credentials, FindCredentials } from '../oci/registry-auth.ts';
import { checkText } from '../options/check.ts';
import { OptionError } from '../options/option-error.mjs';
import type { PullPolicy } from './load-image.ts';
import type { Network, Size } from './machine-settings.ts';
import type { Stdio, Terminal } from './stdio.ts';

/** What was asked for, not yet checked. */
export interface Settings {
  readonly args: string[];
  readonly env: Map<string, string>;
  readonly stdio: { stdin?: Stdio; stdout?: Stdio; stderr?: Stdio };
  currentDir?: string;
  user?: string;
  terminal?: Terminal;
  memory?: Size;
  cpus?: number;
  disk?: Size;
  network?: Network;
  readOnly?: boolean;
  pull?: PullPolicy;
  credentials?: Credentials | FindCredentials;
  onProgress?: (event: PullEvent) => void;
  signal?: AbortSignal;
}

/** What commands and containers have in common. Wrong values are reported when it runs. */
export abstract class Builder {
  /** @internal */
  protected readonly settings: Settings = { args: [], env: new Map(), stdio: {} };

  /** Adds an argument. */
  arg(word: string): this {
    this.settings.args.push(word);
    return this;
  }

  /** Adds arguments. */
  args(words: Iterable<string>): this {
    this.settings.args.push(...words);
    return this;
  }

  /** Sets an environment variable. */
  env(name: string, value: string): this {
    this.settings.env.set(name, value);
    return this;
  }

  /** Sets environment variables by their names. */
  envs(variables: Readonly<Record<string, string>>): this {
    for (const [name, value] of Object.entries(variables)) this.env(name, value);
    return this;
  }

  /** Replaces the working directory of the image. */
  currentDir(path: string): this {
    this.settings.currentDir = path;
    return this;
  }

  /** Replaces the user of the image: `user` or `user:group`, names or numbers. */
  user(user: string): this {
    this.settings.user = user;
    return this;
  }

  /** The memory of the machine; by default 512M. */
  memory(size: Size): this {
    this.settings.memory = size;
    return this;
  }

  /** The number of CPUs of the machine, 1 to 8; by default 1. */
  cpus(count: number): this {
    this.settings.cpus = count;
    return this;
  }

  /** The limit of what can be written; by default 1G. */
  disk(size: Size): this {
    this.settings.disk = size;
    return this;
  }

  /** The network of the machine; by default `internet`. */
  network(network: Network): this {
    this.settings.network = network;
    return this;
  }

  /** Makes the files of the image read-only. */
  readOnly(on = true): this {
    this.settings.readOnly = on;
    return this;
  }

  /** Where standard input comes from. The default depends on how it is run. */
  stdin(stdio: Stdio): this {
    this.settings.stdio.stdin = stdio;
    return this;
  }

  /** Where standard output goes. The default depends on how it is run. */
  stdout(stdio: Stdio): this {
    this.settings.stdio.stdout = stdio;
    return this;
  }

  /** Where standard error goes. The default depends on how it is run. */
  stderr(stdio: Stdio): this {
    this.settings.stdio.stderr = stdio;
    return this;
  }

  /** Gives the program a terminal: its output is all on `stdout`. */
  terminal(terminal: Terminal): this {
    this.settings.terminal = terminal;
    return this;
  }

  /** When the source of the image is asked; by default when the image is missing. */
  pull(policy: PullPolicy): this {
    this.settings.pull = policy;
    return this;
  }

  /** The user's account at the registry of the image, or how to find it. */
  credentials(credentials: Credentials | FindCredentials): this {
    this.settings.credentials = credentials;
    return this;
  }

  /** Called while the image is pulled. */
  onProgress(report: (event: PullEvent) => void): this {
    this.settings.onProgress = report;
    return this;
  }

  /** Ends what was started, with its descendants. */
  signal(signal: AbortSignal): this {
    this.settings.signal = usableSignal(signal);
    return this;
  }
}

/** The signal, or one that has aborted with an OptionError if it is none. */
export function usableSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || typeof signal?.addEventListener === 'function') return signal;
  return AbortSignal.abort(new OptionError('signal takes the signal of an AbortController'));
}

/** `NAME=value` each. @throws OptionError */
export function assignmentsOf(variables: Iterable<readonly [name: string, value: string]>): string[] {
  return Array.from(variables, ([name, value]) => {
    checkText(value);
    if (name === '' || name.includes('=')) throw new OptionError(`"${name}" is no name of a variable`);
    return `${name}=${value}`;
  });
}

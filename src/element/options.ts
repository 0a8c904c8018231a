/** The attributes of the element, as options of a container. */
import { Container, type PullPolicy } from '../api/browser.ts';
import { parseAssignments } from '../options/assignments.mjs';
import { OptionError } from '../options/option-error.mjs';
import { splitWords } from '../options/words.mjs';

/** What runs. Each is an attribute and a property of the element; changes are for its next run. */
export interface LinuxRunOptions {
  /** The reference of the image, such as `busybox` or `docker://python:alpine`. */
  image: string;
  /** The program instead of the image's, quoted as in a shell. */
  entrypoint: string;
  /** Its arguments instead of the image's, quoted as in a shell. */
  args: string;
  /** Environment variables: `K1=v1,K2=v2`. */
  env: string;
  /** The memory of the machine; by default `512M`. */
  memory: string;
  /** The number of CPUs of the machine, 1 to 8. */
  cpus: string;
  /** When the registry is asked: `always`, `missing` (the default) or `never`. */
  pull: string;
  /** `none`, or a relay: `wss://…`. By default the internet, by the server of the page. */
  network: string;
}

export const OPTIONS = ['image', 'entrypoint', 'args', 'env', 'memory', 'cpus', 'network', 'pull'] as const;

/** @throws OptionError */
export function containerOf(options: Readonly<LinuxRunOptions>): Container {
  const { image, entrypoint, args, env, memory, cpus, network, pull } = options;
  if (image === '') throw new OptionError('the attribute image names what to run, such as image="busybox"');
  const container = new Container(image).args(splitWords(args));
  if (entrypoint !== '') container.entrypoint(splitWords(entrypoint));
  for (const assignment of parseAssignments(env)) {
    const at = assignment.indexOf('=');
    container.env(assignment.slice(0, at), assignment.slice(at + 1));
  }
  if (memory !== '') container.memory(memory);
  if (cpus !== '') container.cpus(Number(cpus));
  if (pull !== '') container.pull(pullPolicy(pull));
  if (network !== '') container.network(network === 'none' ? network : { relay: network });
  return container;
}

function pullPolicy(text: string): PullPolicy {
  if (text === 'always' || text === 'missing' || text === 'never') return text;
  throw new OptionError(`pull is always, missing or never, not "${text}"`);
}

/** What runs, in a few words. */
export function nameOf({ image, entrypoint, args }: Readonly<LinuxRunOptions>): string {
  return [image, entrypoint, args].filter((part) => part !== '').join(' ');
}

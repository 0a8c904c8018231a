import { formatAssignments, parseAssignments } from '../../options/assignments.mjs';
import { OptionError } from '../../options/option-error.mjs';
import { DEFAULT_FORM, type FieldErrors, type Form, type Variable } from './form.ts';

const PREFIX = 'LINUXRUN_';
/**
 * The parameters of links, and their fields. The relay is not among them, because a relay sees
 * all traffic.
 */
const TEXTS = {
  IMAGE: 'image',
  PLATFORM: 'platform',
  ENTRYPOINT: 'entrypoint',
  ARGS: 'args',
  WORKDIR: 'workdir',
  MEMORY: 'memory',
  CPUS: 'cpus',
  DISK: 'disk',
  INIT: 'init',
  DEVICES: 'devices',
  NETWORK: 'network',
  PORTS: 'ports',
} as const satisfies Record<string, keyof Form>;
const ENV = 'ENV';
const SNAPSHOT = 'SNAPSHOT';
const PROJECT = 'PROJECT';

/** The content of a link. */
export interface LinkedForm {
  readonly form: Form;
  /** Whether the address is a link, with any of our parameters. */
  readonly isLink: boolean;
  /** Errors of parameters that do not fit into the form. */
  readonly errors: FieldErrors;
  /** The address of a saved session, as the link has it. */
  readonly snapshot: string | undefined;
  /** The address of a project, as the link has it. */
  readonly project: string | undefined;
  /** The names of unknown parameters. */
  readonly ignored: readonly string[];
}

/**
 * @param query a query such as `?LINUXRUN_IMAGE=alpine&LINUXRUN_MEMORY=1G`; parameters without that prefix
 *   are ignored
 */
export function readLink(query: string): LinkedForm {
  const parameters = [...new URLSearchParams(query)].filter(([name]) => name.startsWith(PREFIX));
  const values = new Map(parameters.map(([name, value]) => [name.slice(PREFIX.length), value]));
  const isKnown = (name: string) => Object.hasOwn(TEXTS, name) || [ENV, SNAPSHOT, PROJECT].includes(name);
  const ignored = [...values.keys()].filter((name) => !isKnown(name)).map((name) => PREFIX + name);
  const snapshot = values.get(SNAPSHOT) || undefined;
  const project = values.get(PROJECT) || undefined;
  // As on the command line, an empty parameter counts as missing, except for the image.
  const texts = Object.entries(TEXTS)
    .filter(([name]) => values.get(name) || (name === 'IMAGE' && values.has(name)))
    .map(([name, field]) => [field, values.get(name)] as const);
  const form: Form = { ...DEFAULT_FORM, ...Object.fromEntries(texts) };
  const isLink = parameters.length > 0;
  try {
    const env = parseAssignments(values.get(ENV) ?? '').map(splitVariable);
    return { form: { ...form, env }, isLink, errors: {}, snapshot, project, ignored };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const errors = { env: `${PREFIX}${ENV}: ${error.message}` };
    return { form, isLink, errors, snapshot, project, ignored };
  }
}

export interface LinkOptions {
  /** Whether the variables have their values, which may be secrets, or only their names. */
  readonly withValues: boolean;
}

/** Writes the query of a link that fills in `form`. Leaves out defaults. */
export function writeLink(form: Form, { withValues }: LinkOptions): string {
  const values = Object.entries(TEXTS)
    .map(([name, field]) => [name, form[field].trim(), field] as const)
    .filter(([name, value, field]) => name === 'IMAGE' || (value !== '' && value !== DEFAULT_FORM[field]))
    .map(([name, value]) => [name, value] as const);
  const env = form.env
    .filter(({ name }) => name !== '')
    // A name may not be checked yet: someone may have pasted NAME=value.
    .map(({ name, value }) => (withValues ? `${name}=${value}` : `${name.split('=')[0]}=`));
  if (env.length > 0) values.push([ENV, formatAssignments(env)]);
  return `?${values.map(([name, value]) => `${PREFIX}${name}=${encode(value)}`).join('&')}`;
}

/** Writes the query of a link to a project. */
export function writeProjectLink(address: string): string {
  return `?${PREFIX}${PROJECT}=${encode(address)}`;
}

/**
 * Keeps characters that make links readable: a query may contain colons and slashes (RFC 3986, section 3.4).
 */
function encode(value: string): string {
  return encodeURIComponent(value).replace(/%(2F|3A|40|2C|3D)/g, decodeURIComponent);
}

/** Parts `NAME=value`. */
export function splitVariable(assignment: string): Variable {
  const at = assignment.indexOf('=');
  return { name: assignment.slice(0, at), value: assignment.slice(at + 1) };
}

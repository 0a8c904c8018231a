import { ImageError, MachineError } from '../../api/errors.ts';
import { fitMemory } from '../../api/memory.ts';
import { parseReference, type Reference } from '../../api/references.ts';
import { parseDevices } from '../../options/devices.mjs';
import { cpusProblem } from '../../options/limits.mjs';
import { parseNetwork } from '../../options/network.mjs';
import { OptionError } from '../../options/option-error.mjs';
import { type Architecture, parsePlatform } from '../../options/platform.mjs';
import { type PublishedPort, parsePorts } from '../../options/published-ports.mjs';
import { checkDiskSize, parseSize } from '../../options/sizes.mjs';
import { parseSwitch } from '../../options/switch.mjs';
import { splitWords } from '../../options/words.mjs';
import type { Field, FieldErrors, Form, Variable } from './form.ts';

/** A valid form. */
export interface Wish {
  readonly reference: Reference;
  /** Whose image runs; undefined for the best one of those that the image is for. */
  readonly platform: Architecture | undefined;
  /** Undefined for the image's own. */
  readonly entrypoint: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  /** `NAME=value` each. */
  readonly env: readonly string[];
  /** Undefined for the image's own. */
  readonly workdir: string | undefined;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly diskBytes: number;
  readonly init: boolean;
  readonly devices: readonly string[];
  readonly hasNetwork: boolean;
  /** Ports whose previews open by themselves. */
  readonly ports: readonly PublishedPort[];
}

export type Checked =
  | { readonly wish: Wish; readonly errors?: undefined }
  | { readonly wish?: undefined; readonly errors: FieldErrors };

export function checkForm(form: Form): Checked {
  const errors: FieldErrors = {};
  const read = <T>(field: Field, parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      if (!isExplained(error)) throw error;
      errors[field] = error.message;
      return undefined;
    }
  };
  const cpus = read('cpus', () => parseCpus(form.cpus));
  const wish = {
    reference: read('image', () => parseReference(form.image)),
    platform: read('platform', () =>
      form.platform.trim() === '' ? undefined : parsePlatform(form.platform.trim()),
    ),
    entrypoint: read('entrypoint', () => parseWords(form.entrypoint)),
    args: read('args', () => parseWords(form.args)),
    env: read('env', () => form.env.filter(isFilled).map(parseVariable)),
    workdir: read('workdir', () => parseWorkdir(form.workdir.trim())),
    memoryBytes: read('memory', () => parseMemory(form.memory, cpus ?? 1)),
    cpus,
    diskBytes: read('disk', () => parseDisk(form.disk)),
    init: read('init', () => parseSwitch(form.init)),
    hasNetwork: read('network', () => form.network === '' || parseNetwork(form.network) !== 'none'),
    devices: read('devices', () => (form.devices.trim() === '' ? [] : parseDevices(form.devices))),
    ports: read('ports', () => parsePorts(form.ports)),
  };
  // Without errors, all required fields are defined.
  return Object.keys(errors).length > 0 ? { errors } : { wish: wish as Wish };
}

function isExplained(error: unknown): error is Error {
  return [OptionError, MachineError, ImageError].some((type) => error instanceof type);
}

function parseWords(line: string): string[] | undefined {
  return line.trim() === '' ? undefined : splitWords(line);
}

function isFilled({ name, value }: Variable): boolean {
  return name !== '' || value !== '';
}

function parseVariable({ name, value }: Variable): string {
  if (name === '') throw new OptionError(`the variable with the value "${value}" has no name`);
  if (name.includes('=')) throw new OptionError(`"${name}": a variable's name has no =`);
  return `${name}=${value}`;
}

function parseWorkdir(path: string): string | undefined {
  if (path === '') return undefined;
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw new OptionError(`"${path}" is no working directory: the path must be absolute`);
}

function parseCpus(text: string): number {
  const count = Number(text.trim() || Number.NaN);
  if (!Number.isInteger(count)) throw new OptionError(`"${text}" is not a whole number`);
  const problem = cpusProblem(count);
  if (problem) throw new OptionError(problem);
  return count;
}

function parseMemory(text: string, cpus: number): number {
  const bytes = parseSize(text);
  return fitMemory(cpus, bytes);
}

function parseDisk(text: string): number {
  const bytes = parseSize(text);
  checkDiskSize(bytes);
  return bytes;
}

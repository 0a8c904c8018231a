/** The instructions of a Dockerfile that `docker commit -c` takes, and what they change in an image. */
import { mergeEnvironment } from '../options/assignments.mjs';
import { parseSignal } from '../options/signals.ts';
import { splitWords } from '../options/words.mjs';
import { isObject, type JsonObject } from '../text/json.ts';

const SHELL = ['/bin/sh', '-c'];

type Change = (config: JsonObject) => JsonObject;

/** By instruction; they take the text after it. @throws Error */
const CHANGES: Readonly<Record<string, (text: string) => Change>> = {
  CMD: (text) => set('Cmd', commandOf(text)),
  ENTRYPOINT: (text) => set('Entrypoint', commandOf(text)),
  ENV(text) {
    const added = assignmentsOf(text);
    return (config) => ({ ...config, Env: mergeEnvironment(stringsOf(config.Env), added) });
  },
  EXPOSE: (text) => add('ExposedPorts', splitWords(text).map(portOf)),
  LABEL(text) {
    const added = assignmentsOf(text).map((assignment) => assignment.split(/=(.*)/s).slice(0, 2));
    return (config) => ({
      ...config,
      Labels: { ...(isObject(config.Labels) ? config.Labels : {}), ...Object.fromEntries(added) },
    });
  },
  STOPSIGNAL(text) {
    parseSignal(text);
    return set('StopSignal', text);
  },
  USER: (text) => set('User', text),
  VOLUME: (text) => add('Volumes', listOf(text) ?? splitWords(text)),
  WORKDIR(text) {
    if (!text.startsWith('/')) throw new Error('the working directory is an absolute path');
    return set('WorkingDir', text);
  },
};

/** Carries out an instruction. @throws Error if it is wrong */
export function changeConfig(config: JsonObject, instruction: string): JsonObject {
  return parse(instruction)(config);
}

/** @throws Error if an instruction is wrong */
export function checkChange(instruction: string): string {
  parse(instruction);
  return instruction;
}

function parse(instruction: string): Change {
  const [, name = '', text = ''] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(instruction) ?? [];
  const key = name.toUpperCase();
  const change = Object.hasOwn(CHANGES, key) ? CHANGES[key] : undefined;
  if (!change) throw new Error(`the instructions are ${Object.keys(CHANGES).join(', ')}, not "${name}"`);
  if (text === '') throw new Error(`${key} needs a value`);
  return change(text);
}

const set =
  (field: string, value: unknown): Change =>
  (config) => ({ ...config, [field]: value });

/** Adds members to a set in the form that Go writes. */
function add(field: string, members: readonly string[]): Change {
  return (config) => {
    const old = config[field];
    return {
      ...config,
      [field]: { ...(isObject(old) ? old : {}), ...Object.fromEntries(members.map((name) => [name, {}])) },
    };
  };
}

/** A JSON list is a program with its arguments; anything else is for a shell. */
function commandOf(text: string): readonly string[] {
  return listOf(text) ?? [...SHELL, text];
}

function listOf(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME=value` each, or `NAME value` for one. */
function assignmentsOf(text: string): string[] {
  const words = splitWords(text);
  if (words[0]?.includes('=') !== true) return [text.replace(/\s+/, '=')];
  if (words.some((word) => word.indexOf('=') <= 0)) throw new Error(`"${text}" is no list of NAME=value`);
  return words;
}

function portOf(text: string): string {
  if (!/^\d{1,5}(?:\/(?:tcp|udp))?$/.test(text)) throw new Error(`"${text}" is no port`);
  return text.includes('/') ? text : `${text}/tcp`;
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

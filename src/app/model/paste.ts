/** Reads what people paste to name an image: commands of docker and addresses of Docker Hub. */

import { COMMANDS } from '../../docker/commands.ts';
import { type GivenFlag, readFlags } from '../../docker/flags.ts';
import { DEVICES } from '../../options/devices.mjs';
import { quoteWord, splitWords } from '../../options/words.mjs';
import { clean } from '../../text/message.ts';
import { DEFAULT_FORM, type Form, type Variable } from './form.ts';
import { readPlatform, readReference } from './names.ts';

/** The parts of the form that a paste fills in. */
export interface Pasted {
  readonly form: Partial<Form>;
  /** The parts of the command that have no place in the form. */
  readonly leftOut: readonly string[];
}

const MAX_LENGTH = 10_000;
/** A prompt, what may come before the program, and the program. */
const START =
  /^\s*(?:(?:PS )?[^\s'"]*[$#%>]\s+)?(?:(?:sudo|time|env)\s+(?:-\w+\s+)*|\w+=\S*\s+)*(?:docker|podman|nerdctl)\s/;
/** A quoted part of a word: the shell takes its spaces and operators literally. */
const QUOTED = String.raw`\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*"|\$\([^()]*\)|\x60[^\x60]*\x60`;
const WORD = new RegExp(String.raw`(?:${QUOTED}|[^\s'"\\\x60])+`, 'g');
/** Ends before a newline or an operator between commands. */
const COMMAND = new RegExp(String.raw`^(?:[12]?>&[12]?|&>|${QUOTED}|[^'"\\\x60\n;|&])*`);
/** Begins a redirection or a comment. */
const REST_OF_COMMAND = /^(?:[12&]?>|<|#)/;

/** Flags that mean nothing here, because the page has a terminal and keeps no container that has ended. */
const USUAL = ['interactive', 'tty', 'rm', 'quiet'];

/** Returns undefined for any other text. */
export function readPaste(text: string): Pasted | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const image = imageOfAddress(text.trim());
  return image ? { form: { image }, leftOut: [] } : readCommands(text);
}

function imageOfAddress(text: string): string | undefined {
  const url = /^(?:https?:\/\/)?hub\.docker\.com\/(.*)$/.exec(text)?.[1];
  const [path = '', query = ''] = url?.split(/[?#]/) ?? [];
  const [kind, first = '', second = '', third = ''] = path.split('/');
  const tagged = (name: string, tag: string | null) => (tag ? `${name}:${tag}` : name);
  const name = new URLSearchParams(query).get('name');
  const images: Record<string, () => string> = {
    _: () => tagged(first, second === 'tags' ? name : null),
    r: () => tagged(`${first}/${second}`, third === 'tags' ? name : null),
    repository: () => path.split('/').slice(2, 4).join('/'),
    layers: () => tagged(first === 'library' ? second : `${first}/${second}`, third),
  };
  const image = kind !== undefined && Object.hasOwn(images, kind) ? images[kind]?.() : undefined;
  return image !== undefined && readReference(image) ? image : undefined;
}

/** Reads the first command that runs an image, or else the first that pulls one. */
function readCommands(text: string): Pasted | undefined {
  const commands = commandsOf(text);
  const read = (...verbs: string[]) => commands.find(({ verb }) => verbs.includes(verb));
  const command = read('run', 'create') ?? read('pull');
  return command && readForm(command);
}

interface Command {
  readonly verb: string;
  readonly words: readonly string[];
  /** The words with their quotes. */
  readonly quoted: readonly string[];
  /** The rest of the line, which begins with an operator. */
  readonly after: string;
}

/** Reads the commands of docker in a text, each of which begins a line or follows another. */
function commandsOf(text: string): Command[] {
  const commands: Command[] = [];
  // Shells, PowerShell and Windows each have a character that continues a line.
  let rest = text.replace(/(?:\\|(?<=\s)[`^])\r?\n/g, ' ');
  while (rest !== '') {
    const start = START.exec(rest)?.[0].length ?? 0;
    const length = COMMAND.exec(rest.slice(start))?.[0].length ?? 0;
    const following = rest.slice(start + length);
    if (start > 0 && /^(?:$|[\n;|&])/.test(following)) {
      const quoted = rest.slice(start, start + length).match(WORD) ?? [];
      commands.push(commandOf(quoted, following.split('\n', 1).join().trim()));
      rest = following.replace(/^[\n;|&]+/, '');
    } else {
      rest = rest.replace(/^.*\n?/, '');
    }
  }
  return commands;
}

function commandOf(quoted: readonly string[], after: string): Command {
  const words = quoted.map((word) => splitWords(word).join(' '));
  const start = words[0] === 'container' || words[0] === 'image' ? 2 : 1;
  return { verb: words[start - 1] ?? '', words: words.slice(start), quoted, after };
}

function readForm({ verb, words, quoted, after }: Command): Pasted | undefined {
  const { flags, operands } = readFlags(COMMANDS[verb === 'pull' ? 'pull' : 'run'].flags, words, 'operand');
  const reader = new FormReader();
  for (const flag of flags) reader.take(flag);
  const [image, ...rest] = operands;
  if (image === undefined || !readReference(image)) return undefined;
  if (verb === 'pull')
    return {
      form: { image, ...(reader.platform && { platform: reader.platform }) },
      leftOut: [...reader.leftOut, ...rest],
    };
  const { platform, env, entrypoint, workdir, memory, cpus, init, devices, network } = reader;
  const quotedRest = quoted.slice(quoted.length - rest.length);
  const end = quotedRest.findIndex((word) => REST_OF_COMMAND.test(word));
  const args = end < 0 ? rest : rest.slice(0, end);
  const unread = [...(end < 0 ? [] : quotedRest.slice(end)), after].join(' ').replace(/^;$/, '').trim();
  return {
    form: {
      ...DEFAULT_FORM,
      image,
      platform,
      env,
      entrypoint,
      workdir,
      memory,
      cpus,
      init,
      devices: devices.join(','),
      network,
      args: args.map(quoteWord).join(' '),
    },
    leftOut: [...reader.leftOut, ...(unread === '' ? [] : [unread])].map(clean),
  };
}

/** Fills in the form with the flags that have a place there. */
class FormReader {
  readonly env: Variable[] = [];
  platform = '';
  entrypoint = '';
  workdir = '';
  memory = DEFAULT_FORM.memory;
  cpus = DEFAULT_FORM.cpus;
  init = '';
  readonly devices: string[] = [];
  network = '';
  readonly leftOut: string[] = [];

  take(given: GivenFlag): void {
    const { flag, value = '' } = given;
    const name = flag?.name;
    if (name === 'env') {
      const at = value.indexOf('=');
      this.env.push({ name: at < 0 ? value : value.slice(0, at), value: at < 0 ? '' : value.slice(at + 1) });
    } else if (name === 'entrypoint') this.entrypoint = value === '' ? '' : quoteWord(value);
    else if (name === 'workdir') this.workdir = value;
    // Docker counts bytes by b, which we leave out.
    else if (name === 'memory') this.memory = value.replace(/^(\d+)b$/i, '$1').toUpperCase();
    else if (name === 'cpus') this.cpus = String(Math.ceil(Number(value)) || value);
    else if (name === 'init') this.init = value === '' || value === 'true' ? '1' : '';
    else if ((name === 'network' || name === 'net') && NETWORKS.includes(value))
      this.network = value === 'none' ? value : '';
    else if (name === 'device' && DEVICES.includes(value)) this.devices.push(value);
    else if (name === 'platform' && readPlatform(value)) this.platform = value;
    else if (!name || !USUAL.includes(name))
      this.leftOut.push(flag ? wordsOf(given) : `${wordsOf(given)} (unknown)`);
  }
}

/** A flag as it was written. */
function wordsOf({ written, value, isInline }: GivenFlag): string {
  return value === undefined ? written : `${written}${isInline ? '=' : ' '}${value}`;
}

/** Those of Docker that this page has: none, and one that leads to the internet. */
const NETWORKS: readonly string[] = ['none', 'bridge', 'default'];

/** Reads flags as Docker does: those of one letter may share a word, and `--` ends them. */
import { parseArgs } from '@pkgjs/parseargs';
import { DockerError } from './errors.ts';

/** A flag of a command. */
export interface Flag {
  readonly name: string;
  readonly short?: string | undefined;
  /** What its value is called. A switch has none. */
  readonly value?: string | undefined;
  /** Its line in the help; without one it is not shown there. */
  readonly help?: string | undefined;
  /** Why there is no such flag here. */
  readonly refused?: string | undefined;
}

/** A flag as it was given. */
export interface GivenFlag {
  /** Undefined if Docker has no such flag. */
  readonly flag: Flag | undefined;
  /** As written: `-e`, `--env`. */
  readonly written: string;
  /** Undefined for a switch, and if the flag needs a value but is the last word. */
  readonly value: string | undefined;
  /** Whether the value is in the same word, after `=`. */
  readonly isInline: boolean;
  /** The number of its word. */
  readonly index: number;
}

export interface GivenFlags {
  readonly flags: readonly GivenFlag[];
  /** The words that are no flags. */
  readonly operands: readonly string[];
}

/** Where flags end: at `--`, or also at the first operand, because the words after that are a program's. */
export type FlagsEnd = 'terminator' | 'operand';

const NOTATION = /^(?:-(?<short>\w), )?--(?<name>[\w-]+)(?: (?<value>\S+))?$/;

/**
 * Makes flags from their notation in the help: `-e, --env list`.
 * @param lines the help of each
 */
export function flagsOf(lines: Readonly<Record<string, string>>): Flag[] {
  return Object.entries(lines).map(([notation, help]) => ({ ...parseNotation(notation), help }));
}

/** Makes flags that are refused for one reason. */
export function refusedFlags(refused: string, ...notations: readonly string[]): Flag[] {
  return notations.map((notation) => ({ ...parseNotation(notation), refused }));
}

/** Makes flags that change nothing, because there is only what they ask for. */
export function idleFlags(...notations: readonly string[]): Flag[] {
  return notations.map(parseNotation);
}

function parseNotation(notation: string): Flag {
  const { name = '', short, value } = NOTATION.exec(notation)?.groups ?? {};
  return { name, short, value };
}

/** Writes a flag as in the help: `-e, --env`. */
export function nameOf({ name, short }: Flag): string {
  return short === undefined ? `--${name}` : `-${short}, --${name}`;
}

/** Reads words as flags and operands. Accepts unknown flags, and a missing value at the end. */
export function readFlags(table: readonly Flag[], words: readonly string[], end: FlagsEnd): GivenFlags {
  const options = Object.fromEntries(
    table.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? 'boolean' : 'string', ...(short && { short }) } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, tokens: true });
  const positionals = tokens.filter(({ kind }) => kind === 'positional');
  const last = (end === 'operand' ? positionals[0]?.index : undefined) ?? words.length;
  const flags = tokens.flatMap((token): GivenFlag[] => {
    if (token.kind !== 'option' || token.index > last) return [];
    const { name, rawName: written, value, inlineValue, index } = token;
    const flag = table.find((each) => each.name === name && isWritten(each, written));
    // `-e=A=b` means the same as `-eA=b`.
    const isShort = !written.startsWith('--');
    const text = isShort && inlineValue ? value.replace(/^=/, '') : value;
    return [{ flag, written, value: text, isInline: inlineValue === true && !isShort, index }];
  });
  const operands = end === 'operand' ? words.slice(last) : positionals.map(({ index }) => words[index] ?? '');
  return { flags, operands };
}

/** `-m` is no flag whose long name is `m`. */
function isWritten({ name, short }: Flag, written: string): boolean {
  return written === `--${name}` || written === `-${short}`;
}

const TRUE = /^(?:1|t|true)$/i;
const FALSE = /^(?:0|f|false)$/i;

/** The flags of a command, with errors as Docker words them. */
export class FlagValues {
  readonly operands: readonly string[];
  readonly #flags: readonly GivenFlag[];

  /** @throws DockerError if a flag is unknown, refused, or has no value */
  constructor(table: readonly Flag[], words: readonly string[], end: FlagsEnd) {
    const { flags, operands } = readFlags(table, words, end);
    for (const given of flags) check(given, words);
    this.#flags = flags;
    this.operands = operands;
  }

  isOn(name: string): boolean {
    const given = this.#given(name).at(-1);
    if (given?.value === undefined || TRUE.test(given.value)) return given !== undefined;
    if (FALSE.test(given.value)) return false;
    throw invalid(given, `"${given.value}" is neither true nor false`);
  }

  /** The value of a flag; the last one counts. */
  value(name: string): string | undefined {
    return this.#given(name).at(-1)?.value;
  }

  /** @throws DockerError with the error of `parse` */
  parse<T>(name: string, parse: (text: string) => T): T | undefined {
    const given = this.#given(name).at(-1);
    return given && parsed(given, parse);
  }

  /** The values of a flag that may be repeated. */
  parseAll<T>(name: string, parse: (text: string) => T): T[] {
    return this.#given(name).map((given) => parsed(given, parse));
  }

  #given(name: string): GivenFlag[] {
    return this.#flags.filter(({ flag }) => flag?.name === name);
  }
}

function check({ flag, written, value, index }: GivenFlag, words: readonly string[]): void {
  const isLong = written.startsWith('--');
  if (!flag && isLong) throw new DockerError(`unknown flag: ${written}`);
  if (!flag) {
    const word = words[index] ?? '';
    const letter = written.charAt(1);
    throw new DockerError(`unknown shorthand flag: '${letter}' in -${word.slice(word.indexOf(letter, 1))}`);
  }
  if (flag.refused !== undefined) throw new DockerError(`${nameOf(flag)} is not supported: ${flag.refused}`);
  if (flag.value === undefined || value !== undefined) return;
  throw new DockerError(
    isLong
      ? `flag needs an argument: ${written}`
      : `flag needs an argument: '${written.charAt(1)}' in ${written}`,
  );
}

function parsed<T>(given: GivenFlag, parse: (text: string) => T): T {
  try {
    return parse(given.value ?? '');
  } catch (error) {
    throw invalid(given, error instanceof Error ? error.message : String(error), error);
  }
}

function invalid({ flag, value = '' }: GivenFlag, reason: string, cause?: unknown): DockerError {
  const name = flag ? nameOf(flag) : '';
  return new DockerError(`invalid argument "${value}" for "${name}" flag: ${reason}`, 125, { cause });
}

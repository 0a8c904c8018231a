/** Output as Docker shapes it: a table, JSON, or the part of Go's templates that people use with Docker. */
import { DockerError } from './errors.ts';

/** A value of a template. */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [name: string]: Value };
export type Row = Readonly<Record<string, Value>>;

/** Docker's, for `--format`. */
const STATUS_TEMPLATE = 64;
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', '\\': '\\' };
const GAP = 3;
const SHORT_ID = 12;

/** A column of a table: its title, and the field that it shows. */
export type Columns = Readonly<Record<string, string>>;

interface ListFlags {
  /** Shows only IDs. */
  readonly quiet: boolean;
  readonly format: string | undefined;
}

/**
 * Shows rows as lines.
 * @param format a template, `table` and a template, `json`, or undefined for the usual table
 * @param columns those of the usual table
 * @throws DockerError
 */
export function formatRows(rows: readonly Row[], format: string | undefined, columns: Columns): string {
  if (format === 'json') return lines(rows.map((row) => JSON.stringify(row)));
  if (format === undefined || format === 'table') {
    const fields = Object.values(columns);
    return table(
      Object.keys(columns),
      rows.map((row) => fields.map((field) => show(row[field]))),
    );
  }
  const template = /^table\s+(.*)$/s.exec(format)?.[1];
  if (template === undefined) return lines(rows.map((row) => fill(format, row)));
  const titles = Object.fromEntries(Object.entries(columns).map(([title, field]) => [field, title]));
  const cells = (row: Row) => fill(template, row).split('\t');
  const head = template.replace(
    /\{\{[^}]*?\.(\w+)[^}]*\}\}/g,
    (_, field: string) => titles[field] ?? field.toUpperCase(),
  );
  return table(unescaped(head).split('\t'), rows.map(cells));
}

/** Shows rows as the flags of a list say. @throws DockerError */
export function formatList(rows: readonly Row[], { quiet, format }: ListFlags, columns: Columns): string {
  return formatRows(rows, quiet ? (format ?? '{{.ID}}') : format, columns);
}

/** Shows one object: as a template says, or as JSON. */
export function formatObject(object: Row, format: string): string {
  return `${format === 'json' ? JSON.stringify(object) : fill(format, object)}\n`;
}

/** Fills in a template: `{{.Field.Field}}` and `{{json .Field}}`. @throws DockerError for anything else */
function fill(template: string, object: Row): string {
  return unescaped(template).replace(/\{\{(.*?)\}\}/gs, (_, action: string) =>
    evaluate(action.trim(), object),
  );
}

function evaluate(action: string, object: Row): string {
  const [, json, path = ''] = /^(json\s+)?(\.[\w.]*)$/.exec(action) ?? [];
  if (path === '')
    throw new DockerError(
      `template: {{${action}}} is neither {{.Field}} nor {{json .Field}}`,
      STATUS_TEMPLATE,
    );
  let value: Value = object;
  for (const name of path.split('.').filter((part) => part !== '')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      throw noField(path, object);
    value = (value as Row)[name];
  }
  return json ? JSON.stringify(value ?? null) : show(value);
}

function noField(path: string, object: Row): DockerError {
  const fields = Object.keys(object).map((name) => `.${name}`);
  return new DockerError(`template: there is no ${path}; there are ${fields.join(', ')}`, STATUS_TEMPLATE);
}

/** As Go prints values. */
function show(value: Value): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${Object.entries(value)
      .map(([name, each]) => `${name}:${show(each)}`)
      .join(' ')}]`;
  return String(value);
}

function unescaped(template: string): string {
  return template.replace(/\\([tn\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return lines(
    all.map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + GAP)))
        .join(''),
    ),
  );
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['week', 7 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** A length of time in ms, such as `3 minutes`, in the largest unit of which there are two. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds >= 60 && seconds < 120) return 'About a minute';
  if (seconds >= 3600 && seconds < 7200) return 'About an hour';
  const [name, length] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ['second', 1];
  return `${Math.floor(seconds / length)} ${name}s`;
}

/** A number of bytes with decimal units, as Docker shows sizes of images. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${Number((bytes / 1000 ** power).toPrecision(3))}${units[power]}`;
}

/** A time in ms since 1970, as Docker writes it: `2026-11-28 14:00:00 +0000 UTC`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** The first characters of a text, with an ellipsis for the rest. */
export function truncate(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** An ID, or a digest's digits, as lists show it. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID);
}

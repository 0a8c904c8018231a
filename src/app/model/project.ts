/**
 * A project: a container that can be written down. Its settings are the variables of links, and its files go
 * to its working directory. `linuxrun.json` at the root of its folder says the settings.
 */
import type { NewFile } from '../../api/kept.ts';
import { normaliseMountPath } from '../../options/mount-path.mjs';
import { OptionError } from '../../options/option-error.mjs';
import { isObject, type JsonObject } from '../../text/json.ts';
import { clean } from '../../text/message.ts';
import type { FieldErrors, Form } from './form.ts';
import { type LinkOptions, readLink, writeLink } from './link.ts';

export const MANIFEST = 'linuxrun.json';

/** A folder for the files of projects that name none. */
const FOLDER = '/project';
const VERSION = 1;
export const MOST_FILES = 10_000;
/** Of all files together, in bytes. */
export const MOST_BYTES = 64 << 20;
/** In bytes. */
export const LARGEST_MANIFEST = 64 << 10;
const LONGEST_NAME = 64;
const LONGEST_PATH = 1024;
/** Of one part of a path, as in Linux. */
const LONGEST_PART = 255;
const LONGEST_VALUE = 8192;
export const MOST_OPEN = 16;
/** How layers of images say that a file is gone. */
const WHITEOUT = '.wh.';

export interface Project {
  readonly name: string;
  /** Its settings, as the form shows them. */
  readonly form: Form;
  /** Errors of settings that do not fit into the form. */
  readonly errors: FieldErrors;
  readonly files: readonly NewFile[];
  /** Its `linuxrun.json`. */
  readonly manifest: Uint8Array;
  /** The folder of the browser in which its files are, or go, unless its container has them. */
  readonly browserFolder?: string | undefined;
  /** The files that the editor shows at first. */
  readonly open: readonly string[];
  /** Where it comes from, if it has an address. */
  readonly address?: string | undefined;
}

/** A project that cannot be used, in one line for the user. */
export class ProjectError extends Error {
  override name = 'ProjectError';
}

/**
 * Reads the files of a folder or an archive, which may come from a stranger. An archive may have them in one
 * folder, as those of repositories do.
 * @throws ProjectError
 */
export function readProject(archive: readonly NewFile[]): Project {
  checkSize(archive);
  const files = belowRoot(archive);
  const manifest = files.find(({ path }) => path === MANIFEST);
  if (!manifest || manifest.target !== undefined)
    throw new ProjectError(`there is no ${MANIFEST} in its outermost folder, which makes it a project`);
  const own = files.filter(({ path }) => path !== MANIFEST);
  checkPaths(own);
  const project = readManifest(manifest.content);
  const missing = project.open.find((wanted) => !own.some(({ path }) => path === wanted));
  if (missing !== undefined) throw faulty(`"open" has ${shown(missing)}, which is not among the files`);
  return { ...project, files: own };
}

/**
 * Reads the project in a folder of the browser, whose files stay there.
 * @param name the folder's
 * @throws ProjectError
 */
export function readStoredProject(name: string, manifest: Uint8Array): Project {
  return { ...readManifest(manifest), files: [], browserFolder: name };
}

/** Whether some files are meant to be a project. */
export function isProject(files: readonly Pick<NewFile, 'path'>[]): boolean {
  return files.some(({ path }) => path === MANIFEST || path.split('/').slice(1).join('/') === MANIFEST);
}

/** Writes the `linuxrun.json` of a project. */
export function writeManifest(
  { name, form, open }: Pick<Project, 'name' | 'form' | 'open'>,
  options: LinkOptions,
): string {
  const settings = Object.fromEntries(new URLSearchParams(writeLink(form, options)));
  return `${JSON.stringify({ linuxrun: VERSION, name, settings, open }, undefined, 2)}\n`;
}

/** The name of a project's container, before others have it. */
export function containerNameOf({ name }: Pick<Project, 'name'>): string {
  const plain = name.normalize('NFKD').toLowerCase();
  return plain.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'project';
}

/** @throws ProjectError if there are more files or bytes than a project may have */
export function checkSize(files: readonly { readonly content: { readonly length: number } }[]): void {
  if (files.length > MOST_FILES) throw tooMany();
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > MOST_BYTES) throw tooLarge();
}

export function tooMany(): ProjectError {
  return new ProjectError(`it has more than ${MOST_FILES} files`);
}

export function tooLarge(): ProjectError {
  return new ProjectError(`its files are larger than ${MOST_BYTES >> 20} MB together`);
}

/** Takes away the folder in which everything is. */
function belowRoot(files: readonly NewFile[]): readonly NewFile[] {
  if (files.some(({ path }) => path === MANIFEST)) return files;
  const root = files[0]?.path.split('/', 1).join('') ?? '';
  if (!files.every(({ path }) => path.startsWith(`${root}/`))) return files;
  return files.map((file) => ({ ...file, path: file.path.slice(root.length + 1) }));
}

/** Paths come from outside: none leads anywhere else. */
function checkPaths(files: readonly NewFile[]): void {
  const paths = new Set<string>();
  for (const { path, target } of files) {
    const fault = faultOf(path) ?? (paths.has(path) ? 'it is there twice' : undefined);
    if (fault !== undefined) throw new ProjectError(`${shown(path)}: ${fault}`);
    if (target !== undefined && (target === '' || target.length > LONGEST_PATH || target.includes('\0')))
      throw new ProjectError(`${shown(path)}: it is a link to nowhere`);
    paths.add(path);
  }
  const folder = files.find(({ path }) => foldersOf(path).some((folder) => paths.has(folder)));
  if (folder) throw new ProjectError(`${shown(folder.path)}: a folder of it is also a file`);
}

function faultOf(path: string): string | undefined {
  if (path.length > LONGEST_PATH) return `its path has more than ${LONGEST_PATH} characters`;
  const parts = path.split('/');
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'it is no path in a folder';
  if (parts.some((part) => new TextEncoder().encode(part).length > LONGEST_PART))
    return `a name has more than ${LONGEST_PART} bytes`;
  return parts.some((part) => part.startsWith(WHITEOUT)) ? `a name begins with ${WHITEOUT}` : undefined;
}

function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function readManifest(bytes: Uint8Array): Omit<Project, 'files'> {
  const { linuxrun: version, name, settings, open = [], ...rest } = parse(bytes);
  if (version !== VERSION) throw faulty(whyNotVersion(version));
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw faulty(`"${clean(unknown)}" is unknown`);
  if (typeof name !== 'string' || name.trim() === '' || name.length > LONGEST_NAME || name !== clean(name))
    throw faulty(`"name" is a text of 1 to ${LONGEST_NAME} characters`);
  return { name, ...readSettings(settings), open: readOpen(open), manifest: bytes };
}

function parse(bytes: Uint8Array): JsonObject {
  if (bytes.length > LARGEST_MANIFEST) throw faulty(`it is larger than ${LARGEST_MANIFEST >> 10} KB`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw faulty(`it is no JSON: ${clean((error as Error).message)}`);
  }
  if (!isObject(value)) throw faulty('it is no object');
  return value;
}

function whyNotVersion(version: unknown): string {
  if (version === undefined) return `"linuxrun" is missing, the version of the format: ${VERSION}`;
  return `this page reads version ${VERSION} of the format, and "linuxrun" has another`;
}

function readSettings(settings: unknown): Pick<Project, 'form' | 'errors'> {
  if (!isObject(settings)) throw faulty('"settings" is an object with LINUXRUN_… variables');
  for (const [name, value] of Object.entries(settings)) {
    if (!name.startsWith('LINUXRUN_')) throw faulty(`"settings" has "${clean(name)}", which is no variable`);
    if (typeof value !== 'string' || value.length > LONGEST_VALUE)
      throw faulty(`${clean(name)} is a text of at most ${LONGEST_VALUE} characters`);
  }
  const texts = settings as Readonly<Record<string, string>>;
  const { form, errors, snapshot, project, ignored } = readLink(`?${new URLSearchParams(texts)}`);
  const inLinks = (snapshot && 'LINUXRUN_SNAPSHOT') ?? (project && 'LINUXRUN_PROJECT');
  const other = ignored[0] ?? inLinks;
  if (other !== undefined) throw faulty(`"settings" has ${clean(other)}, which no project sets`);
  if (!texts.LINUXRUN_IMAGE) throw faulty('"settings" lacks LINUXRUN_IMAGE');
  return { form: { ...form, workdir: checkFolder(form.workdir || FOLDER) }, errors };
}

/** Returns the folder of a project's files as the form shows it. @throws ProjectError */
export function checkFolder(workdir: string): string {
  try {
    return normaliseMountPath(workdir, 'the files of a project');
  } catch (error) {
    if (error instanceof OptionError) throw faulty(`LINUXRUN_WORKDIR: ${error.message}`);
    throw error;
  }
}

function readOpen(open: unknown): string[] {
  if (!Array.isArray(open) || open.length > MOST_OPEN || !open.every((path) => typeof path === 'string'))
    throw faulty(`"open" is a list of at most ${MOST_OPEN} paths`);
  return open;
}

function faulty(fault: string): ProjectError {
  return new ProjectError(`${MANIFEST}: ${fault}`);
}

function shown(path: string): string {
  return clean(path.length > 100 ? `${path.slice(0, 100)}…` : path);
}

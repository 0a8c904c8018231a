import type { ImageErrorKind } from '../../api/errors.ts';
import type { Failure } from '../machine/messages.ts';
import type { Field } from './form.ts';

/** What went wrong, for the user. */
export interface Problem {
  readonly title: string;
  /** The details. */
  readonly text: string;
  /** The advice for the user. */
  readonly advice: string;
  /** The field to change. */
  readonly field?: Field;
  /** Whether deleting stored images helps. */
  readonly storage?: boolean;
  /** Whether the saved programs of a kept container cannot go on, and only its files are left. */
  readonly isOver?: boolean;
  /** Whether no such container is kept. */
  readonly isMissing?: boolean;
  /** Whether only a reload of the page helps. */
  readonly needsReload?: boolean;
  /** References that can be used instead. */
  readonly choices?: readonly string[];
  /** The log for an investigation. */
  readonly log?: string | undefined;
}

type Explanation = Omit<Problem, 'text' | 'log' | 'choices'>;

/** The exit statuses of a container that could not be made, and of a program that could not be started. */
const NO_CONTAINER_STATUS = 125;
/** 128 and SIGILL. */
const ILLEGAL_INSTRUCTION_STATUS = 132;
export const NOT_STARTED_STATUSES: readonly number[] = [126, 127];
/** What the kernel says when it panics because memory ran out. */
const MEMORY_PANIC = /out of memory|deadlocked on memory/i;

const IMAGE_ERRORS: Record<ImageErrorKind, Explanation> = {
  reference: {
    title: 'The image reference is not clear',
    advice: 'Correct the reference in the form, or choose another image.',
    field: 'image',
  },
  'not-found': {
    title: 'There is no such image',
    advice: 'Check its name and tag.',
    field: 'image',
  },
  denied: {
    title: 'The registry refuses this image',
    advice:
      'Check the name. If the image is private, sign in to its registry; the password is kept for this visit only.',
    field: 'credentials',
  },
  policy: {
    title: 'This page’s server does not allow that',
    advice:
      'Its operator decides which registries it asks; the registry itself was not the obstacle. ' +
      'If you cannot change that, save the image as a file elsewhere and open it here.',
    field: 'image',
  },
  'rate-limit': {
    title: 'The registry asks you to try again later',
    advice: 'Wait, or sign in to the registry for a higher limit. Images that are stored run without it.',
    field: 'credentials',
  },
  platform: {
    title: 'This image is for no processor that runs here',
    advice:
      'Choose another tag or image that is published for linux/riscv64, such as those in the catalogue, or for linux/arm64 or linux/amd64, and no other platform in the options.',
    field: 'image',
  },
  network: {
    title: 'The image cannot be reached',
    advice: 'Check the network connection and try again. Layers that have arrived are kept.',
  },
  invalid: {
    title: 'The image is damaged',
    advice: 'Try again. If that does not help, the publisher of the image has to fix it.',
    field: 'image',
  },
};

const OTHERS: Record<string, Explanation> = {
  OptionError: {
    title: 'The image cannot run with these options',
    advice: 'Change the options.',
    field: 'entrypoint',
  },
  MachineError: {
    title: 'The machine failed',
    advice: 'Try again, with other options if it fails in the same way.',
    field: 'memory',
  },
  SilenceError: {
    title: 'The browser does not run the session',
    advice: 'Try again, or reload the page. Close other tabs if the computer is busy.',
  },
  StorageFullError: {
    title: 'There is no room left',
    advice: 'Delete stored images that you do not need, or free disk space. What you filled in is kept.',
    storage: true,
  },
  StorageError: {
    title: 'The storage of the browser cannot be used',
    advice:
      'Private windows and settings that block site data keep pages from storing anything. Otherwise reload the page.',
    storage: true,
  },
  ContainerInUseError: {
    title: 'It is running in another tab',
    advice: 'Go on there, or suspend or stop it there first.',
  },
  ContainerMissingError: {
    title: 'It is not kept here any more',
    advice: 'Somebody has deleted it, in another tab perhaps. Run its image anew.',
    isMissing: true,
  },
  ContainerExistsError: {
    title: 'The name is taken',
    advice: 'Choose another name, or delete the container that has it.',
  },
  StateError: {
    title: 'The saved session is damaged',
    advice: 'Its programs cannot go on, but its files are kept: start it again.',
    isOver: true,
  },
  VersionError: {
    title: 'Another version of LinuxRun saved this session',
    advice: 'Its programs can go on only there, but its files are kept: start it again.',
    isOver: true,
  },
  NotReadableError: {
    title: 'The file cannot be read',
    advice: 'It may have changed or moved since you picked it: pick it again.',
    field: 'image',
  },
};

/** Failures of a saved session that was opened from a file, of which nothing is kept yet. */
const FILE_ERRORS: Record<string, Explanation> = {
  SourceError: { title: 'The file cannot be read', advice: 'Try again, or get the file anew.' },
  StateError: { title: 'The file is damaged', advice: 'Get it anew from whoever saved it.' },
  TypeError: {
    title: 'The file has not arrived',
    advice: 'Check the network connection and try again.',
  },
  VersionError: {
    title: 'Another version of LinuxRun saved this file',
    advice: 'Its programs can go on only there.',
  },
};

const NO_MEMORY: Explanation = {
  title: 'There was not enough memory',
  advice: 'Give the machine more memory in the options, or run less in it.',
  field: 'memory',
};

const MEMORY_REFUSED: Explanation = {
  title: 'The browser does not give the machine its memory',
  advice: 'Close other tabs and programs and try again, or give the machine less memory in the options.',
  field: 'memory',
};

const NOT_STARTED: Explanation = {
  title: 'The program cannot start',
  advice: 'Correct the entrypoint and the arguments in the options, or choose another image.',
  field: 'entrypoint',
};

const NEWER_PROCESSOR: Explanation = {
  title: 'The program needs a newer processor',
  advice:
    'Choose a tag for plain riscv64 (RV64GC), such as ubuntu:24.04 in place of a later one. ' +
    'If only this program is to blame, its publisher may have an older build.',
  field: 'image',
};

const NO_CONTAINER: Explanation = {
  title: 'The container cannot be made',
  advice: 'Try again, with more memory or disk if it fails in the same way.',
  field: 'disk',
};

const SMP_KERNEL: Explanation = {
  title: 'The kernel for several CPUs is missing',
  advice: 'npm start builds it after the first one: try again in a few minutes, or with one CPU.',
  field: 'cpus',
};

const MISSING_FILE: Explanation = {
  title: 'A part of the machine cannot be loaded',
  advice: 'Check that the server of this page is running and that this computer is online. Then try again.',
};

/** Code of the page. Many browsers never load again what they could not load once. */
export const MISSING_PART: Explanation = {
  title: 'A part of this page cannot be loaded',
  advice:
    'Check that its server is running and that this computer is online. Then reload the page: what is stored ' +
    'is kept.',
  needsReload: true,
};

/** How the browser names them. They cross threads by their messages. */
const MISFITS = /^(LinkError|CompileError)\b/;
const MISFIT: Explanation = {
  title: 'The parts of this page do not fit together',
  advice:
    'Reload the page, because it may be newer now. If that does not help, its server has files of two versions: ' +
    'its operator must install all files of one.',
  needsReload: true,
};

const BUG: Explanation = {
  title: 'Something in LinuxRun broke',
  advice: 'Try again. If it happens again, please report it with the steps that lead here.',
};

/** @param isFile whether the container is one of a file */
export function explain(failure: Failure, isFile = false): Problem {
  const { name, message, log, choices = [] } = failure;
  const text = sentence(message);
  const explanation = (isFile && FILE_ERRORS[name]) || explanationOf(failure);
  return { ...explanation, text, ...(log && { log }), ...(choices.length > 0 && { choices }) };
}

/**
 * Explains the end of a container that could not start or ran out of memory. Returns undefined for the end of
 * a program, also one that failed.
 * @param messages the lines of the guest's agent
 */
export function explainEnd(status: number, messages: string): Problem | undefined {
  const lines = messages.trim().replace(/^LinuxRun: /gm, '');
  const explanation = lines === '' ? undefined : explanationOfEnd(status, lines);
  return explanation && { ...explanation, text: sentence(lines) };
}

function explanationOfEnd(status: number, lines: string): Explanation | undefined {
  if (status !== 0 && /ran out of memory/.test(lines)) return NO_MEMORY;
  if (status === ILLEGAL_INSTRUCTION_STATUS) return NEWER_PROCESSOR;
  // The agent says nothing about a program that itself exits with one of these.
  if (status === NO_CONTAINER_STATUS) return NO_CONTAINER;
  return NOT_STARTED_STATUSES.includes(status) ? NOT_STARTED : undefined;
}

/** Makes a sentence of a message, which starts in lower case. A name at its start stays unchanged. */
export function sentence(message: string): string {
  const begun = message.replace(/^[a-z]+(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  return /[.?!…]$/.test(begun) ? begun : `${begun}.`;
}

function explanationOf({ name, kind, message, log = '' }: Failure): Explanation {
  if (kind) return IMAGE_ERRORS[kind];
  if (name === 'PageError') return MISSING_PART;
  if (name === 'MachineError' && message.startsWith('cannot load'))
    return message.includes('Image-smp') ? SMP_KERNEL : MISSING_FILE;
  if (name === 'MachineError' && message.startsWith('the host cannot provide')) return MEMORY_REFUSED;
  if (name === 'MachineError' && MEMORY_PANIC.test(log)) return NO_MEMORY;
  if (MISFITS.test(name) || MISFITS.test(message)) return MISFIT;
  return OTHERS[name] ?? BUG;
}

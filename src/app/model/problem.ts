import type { ImageErrorKind } from '../../oci/errors.ts';
import type { Failure } from '../machine/messages.ts';
import type { Field } from './form.ts';

/** What went wrong, for the user. */
export interface Problem {
  readonly title: string;
  /** What exactly. */
  readonly text: string;
  /** What to do about it. */
  readonly advice: string;
  /** Where in the form that is done. */
  readonly field?: Field;
  /** Whether it is done among the stored images. */
  readonly storage?: boolean;
  /** For whoever looks into it. */
  readonly log?: string | undefined;
}

type Explanation = Omit<Problem, 'text' | 'log'>;

const IMAGE_ERRORS: Record<ImageErrorKind, Explanation> = {
  reference: {
    title: 'It is not clear which image is meant',
    advice: 'Say it in the form, or choose another.',
    field: 'image',
  },
  'not-found': {
    title: 'There is no such image',
    advice: 'Check its name and tag.',
    field: 'image',
  },
  denied: {
    title: 'The registry does not give this image to you',
    advice:
      'Check the name. If the image is private, sign in to its registry; the password is kept for this visit only.',
    field: 'credentials',
  },
  'rate-limit': {
    title: 'The registry asks to come back later',
    advice: 'Wait, or sign in to the registry for a higher limit. Images that are stored run without it.',
    field: 'credentials',
  },
  platform: {
    title: 'This image is not made for riscv64',
    advice:
      'Choose another tag or image that is published for linux/riscv64, such as those in the catalogue.',
    field: 'image',
  },
  network: {
    title: 'The image cannot be reached',
    advice: 'Look at the network connection, and try again: layers that have arrived are kept.',
  },
  invalid: {
    title: 'The image is damaged',
    advice: 'Try again. If that does not help, whoever published the image has to mend it.',
    field: 'image',
  },
};

const OTHERS: Record<string, Explanation> = {
  // Of its file system, found when it is mounted.
  ImageError: IMAGE_ERRORS.invalid,
  OptionError: {
    title: 'The image cannot run like that',
    advice: 'Change the options.',
    field: 'entrypoint',
  },
  MachineError: {
    title: 'The machine failed',
    advice: 'Try again, with other options if it fails in the same way.',
    field: 'memory',
  },
  StorageFullError: {
    title: 'There is no room left',
    advice: 'Delete stored images that you do not need, or free disk space. What you filled in is kept.',
    storage: true,
  },
  StorageError: {
    title: 'The storage of the browser cannot be used',
    advice:
      'Private windows, and settings that block site data, keep pages from storing anything. Otherwise reload the page.',
    storage: true,
  },
  NotReadableError: {
    title: 'The file cannot be read',
    advice: 'It may have changed or moved since you picked it: pick it again.',
    field: 'image',
  },
};

const SMP_KERNEL: Explanation = {
  title: 'The kernel for several CPUs is not there',
  advice: 'npm start builds it after the first one: try again in a few minutes, or with one CPU.',
  field: 'cpus',
};

const MISSING_FILE: Explanation = {
  title: 'A part of the machine cannot be loaded',
  advice: 'Is the server of this page still running, and this computer online? Then try again.',
};

const BUG: Explanation = {
  title: 'Something in LinuxRun broke',
  advice: 'Try again. If it happens again, please report it with the steps that lead here.',
};

export function explain(failure: Failure): Problem {
  const { message, log } = failure;
  return { ...explanationOf(failure), text: sentence(message), ...(log && { log }) };
}

/** Messages are made to stand after a colon. Names at their beginning stay as they are. */
function sentence(message: string): string {
  const begun = message.replace(/^[a-z]+(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  return /[.?!…]$/.test(begun) ? begun : `${begun}.`;
}

function explanationOf({ name, kind, message }: Failure): Explanation {
  if (kind) return IMAGE_ERRORS[kind];
  if (name === 'MachineError' && message.startsWith('cannot load'))
    return message.includes('Image-smp') ? SMP_KERNEL : MISSING_FILE;
  return OTHERS[name] ?? BUG;
}

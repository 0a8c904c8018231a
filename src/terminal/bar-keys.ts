/** The keys that phone keyboards lack, and the bytes that programs get for them. */

/** The last letter of the sequences of keys that move the cursor. */
const CURSOR_KEYS = { Up: 'A', Down: 'B', Right: 'C', Left: 'D', Home: 'H', End: 'F' } as const;
/** The number in the sequences of the other keys of that block. */
const PAGE_KEYS = { 'Page Up': 5, 'Page Down': 6 } as const;
const CHARACTERS = { Escape: '\x1b', Tab: '\t', '|': '|', '/': '/', '-': '-', '~': '~' } as const;

export type BarKey = keyof typeof CURSOR_KEYS | keyof typeof PAGE_KEYS | keyof typeof CHARACTERS;

export interface KeyModes {
  /** Whether Ctrl is held. */
  readonly control: boolean;
  /** Whether the program asked for the sequences of application cursor keys (DECCKM). */
  readonly application: boolean;
}

/** Returns the bytes of a key as xterm sends them. Ctrl changes only keys that have a sequence. */
export function sequenceOf(key: BarKey, { control, application }: KeyModes): string {
  if (key in CURSOR_KEYS) {
    const letter = CURSOR_KEYS[key as keyof typeof CURSOR_KEYS];
    if (control) return `\x1b[1;5${letter}`;
    return application ? `\x1bO${letter}` : `\x1b[${letter}`;
  }
  if (key in PAGE_KEYS) {
    const number = PAGE_KEYS[key as keyof typeof PAGE_KEYS];
    return control ? `\x1b[${number};5~` : `\x1b[${number}~`;
  }
  return CHARACTERS[key as keyof typeof CHARACTERS];
}

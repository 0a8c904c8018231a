/** The keys, by their control codes and by their letters' code points. */
const LEAVE = { control: '\x1d', letter: ']' } as const;
const INTERRUPT = { control: '\x03', letter: 'c' } as const;

/** Presses that end the machine, or earn the hint. */
const PRESSES = 3;
/** The time in ms for the presses that end the machine. */
const LEAVE_TIME = 1_000;
/** The time in ms in which a program answers Ctrl-C. */
const ANSWER_TIME = 1_000;
/** A program that still writes this long after its answer, in ms, was not interrupted. */
const QUIET_TIME = 2_000;

type Key = typeof LEAVE | typeof INTERRUPT;

/** The ways by which terminals report a key: as a control character, by CSI u, or by modifyOtherKeys. */
function formsOf({ control, letter }: Key): string[] {
  const code = letter.charCodeAt(0);
  return [control, `\x1b[${code};5u`, `\x1b[27;5;${code}~`];
}

/** How many times a key was pressed. 0 if there is anything else, such as pasted text. */
function countPresses(keys: string, key: Key): number {
  for (const form of formsOf(key)) {
    const count = keys.length / form.length;
    if (Number.isInteger(count) && keys === form.repeat(count)) return count;
  }
  return 0;
}

/** The keyboard's way out of a program that ignores Ctrl-C. */
export class WayOut {
  readonly #leave: () => void;
  readonly #hint: () => void;
  /** Times of the last presses of Ctrl-]. */
  #leaving: number[] = [];
  #interrupts = 0;
  #isAnswered = false;
  #lastOutput = 0;
  #isHinted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param leave called when Ctrl-] was pressed three times within a second
   * @param hint called once, when a third Ctrl-C was in vain
   */
  constructor(leave: () => void, hint: () => void) {
    this.#leave = leave;
    this.#hint = hint;
  }

  /** Takes what was typed at one time. */
  typed(bytes: Uint8Array): void {
    const keys = Buffer.from(bytes).toString('latin1');
    this.#countLeaving(countPresses(keys, LEAVE));
    this.#countInterrupts(countPresses(keys, INTERRUPT));
  }

  /** Takes the program's output. */
  shown(bytes: Uint8Array): void {
    if (this.#interrupts === 0) return;
    const isEcho = Buffer.from(bytes).toString('latin1').replaceAll('^C', '') === '';
    if (isEcho) return;
    this.#isAnswered = true;
    this.#lastOutput = performance.now();
  }

  /** No hint comes any more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #countLeaving(presses: number): void {
    const now = performance.now();
    const recent = presses === 0 ? [] : this.#leaving.filter((time) => now - time < LEAVE_TIME);
    this.#leaving = [...recent, ...Array<number>(presses).fill(now)];
    if (this.#leaving.length >= PRESSES) this.#leave();
  }

  #countInterrupts(presses: number): void {
    if (presses === 0) {
      this.#interrupts = 0;
      clearTimeout(this.#timer);
      return;
    }
    if (this.#interrupts === 0) this.#isAnswered = false;
    this.#interrupts += presses;
    if (this.#interrupts < PRESSES || this.#isHinted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#judge(), ANSWER_TIME);
  }

  #judge(): void {
    if (!this.#isAnswered) {
      this.#giveHint();
      return;
    }
    // A shell has shown its prompt. The output of a program that goes on was no answer.
    const answered = performance.now();
    this.#timer = setTimeout(() => {
      if (this.#lastOutput > answered) this.#giveHint();
    }, QUIET_TIME);
  }

  #giveHint(): void {
    this.#isHinted = true;
    this.#hint();
  }
}

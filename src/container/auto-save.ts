/** When a container saves itself: the policy of all owners. */

/** How often it is looked at, in ms. */
const INTERVAL = 2_000;
/** A container rests if nobody has typed for this time, in ms, … */
const QUIET = 8_000;
/** … and its CPUs run fewer instructions a second, which is about a twentieth of one CPU. */
const LITTLE_WORK = 20e6;
/** A container that never rests is saved after this time, in ms, … */
const LONGEST = 300_000;
/** … when nobody has typed for this time. */
const PAUSE = 1_500;
/** Timers of a system at rest run some instructions, which are not worth a save. */
const WORTH_SAVING = 50e6;
/** After a save that failed, the next try waits for this time, in ms. */
const RETRY = 60_000;

/** A container that may save itself. */
export interface Savable {
  /** Instructions that its CPUs have run. */
  instructions(): number;
  /** The time of the last input, in ms of `now`. */
  lastInput(): number;
  save(): Promise<unknown>;
}

/** Saves a container when it rests, and now and then when it does not. */
export class AutoSave {
  readonly #container: Savable;
  readonly #now: () => number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isSaving = false;
  /** The instructions at the last look, and at the last save. */
  #seen: number;
  #saved: number;
  #savedAt: number;
  #triedAt = Number.NEGATIVE_INFINITY;
  #hasFailed = false;

  constructor(container: Savable, now = () => performance.now()) {
    this.#container = container;
    this.#now = now;
    this.#seen = container.instructions();
    this.#saved = this.#seen;
    this.#savedAt = now();
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.look(), INTERVAL);
    // A process that has nothing else to do may end.
    (this.#timer as { unref?(): void }).unref?.();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Notes that somebody else has saved it. */
  saved(): void {
    this.#saved = this.#container.instructions();
    this.#savedAt = this.#now();
    this.#hasFailed = false;
  }

  /** Looks at the container, and saves it if it is time to. */
  async look(): Promise<void> {
    const instructions = this.#container.instructions();
    const work = (instructions - this.#seen) / (INTERVAL / 1000);
    this.#seen = instructions;
    if (this.#isSaving || !this.#isDue(instructions, work)) return;
    this.#isSaving = true;
    this.#triedAt = this.#now();
    try {
      await this.#container.save();
      this.saved();
    } catch {
      // Its owner has been told by `save`. The container goes on.
      this.#hasFailed = true;
    } finally {
      this.#isSaving = false;
      this.#seen = this.#container.instructions();
    }
  }

  #isDue(instructions: number, work: number): boolean {
    const now = this.#now();
    if (this.#hasFailed && now - this.#triedAt < RETRY) return false;
    const lastInput = this.#container.lastInput();
    const isChanged = instructions - this.#saved > WORTH_SAVING || lastInput > this.#savedAt;
    if (!isChanged) return false;
    const quiet = now - lastInput;
    if (quiet >= QUIET && work < LITTLE_WORK) return true;
    return now - this.#savedAt >= LONGEST && quiet >= PAUSE;
  }
}

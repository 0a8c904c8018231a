/** Between two questions, in ms. */
const PERIOD = 1000;
/**
 * Periods without an answer after which a worker counts as silent. A computer that is busy with other things
 * takes up to ten seconds to start one. Time in which the page itself does not run counts for nothing.
 */
const PATIENCE = 15;

/** Asks a worker again and again whether it still answers. */
export class Watch {
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * @param ask resolves when the worker answers; its failures are told elsewhere
   * @param tell is told when the worker falls silent, and when it answers after all
   */
  constructor(ask: () => Promise<unknown>, tell: (isSilent: boolean) => void) {
    let isAsked = false;
    let periods = 0;
    const onAnswer = () => {
      if (periods >= PATIENCE) tell(false);
      isAsked = false;
      periods = 0;
    };
    const put = () => {
      isAsked = true;
      ask().then(onAnswer, () => {});
    };
    this.#timer = setInterval(() => {
      if (!isAsked) put();
      else if (++periods === PATIENCE) tell(true);
    }, PERIOD);
    put();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

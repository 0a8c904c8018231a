/** `<linux-run image="busybox" entrypoint="sh">`: a container with its terminal. */
import type { RunningContainer } from '../api/browser.ts';
import type { Screen } from '../terminal/screen.ts';
import { containerOf, type LinuxRunOptions, nameOf, OPTIONS } from './options.ts';
import { obstacle, problemOf } from './problem.ts';
import { StartProgress } from './progress.ts';
import { View } from './view.ts';

export type { LinuxRunOptions } from './options.ts';

const NAME = 'linux-run';

/** The events of the element. They bubble. */
export interface LinuxRunEvents {
  'linuxrun-start': CustomEvent<{ readonly container: RunningContainer }>;
  'linuxrun-output': CustomEvent<{ readonly bytes: Uint8Array }>;
  'linuxrun-exit': CustomEvent<{ readonly status: number }>;
  'linuxrun-error': CustomEvent<{ readonly error: unknown }>;
}

type Details = { [Name in keyof LinuxRunEvents]: LinuxRunEvents[Name]['detail'] };

interface Run {
  readonly abort: AbortController;
  readonly container: Promise<RunningContainer>;
}

/** A promise from outside. */
class Later<Value> {
  resolve!: (value: Value) => void;
  reject!: (reason: unknown) => void;
  readonly promise = new Promise<Value>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    // Whoever waits hears of it.
    this.promise.catch(() => {});
  }
}

/**
 * Runs a container in the page, in a terminal as large as the element. Leaving the page's tree ends the
 * container.
 */
export class LinuxRunElement extends HTMLElement implements LinuxRunOptions {
  static readonly observedAttributes = [...OPTIONS, 'theme'];

  declare image: string;
  declare entrypoint: string;
  declare args: string;
  declare env: string;
  declare memory: string;
  declare cpus: string;
  declare network: string;
  declare pull: string;

  readonly #internals = this.attachInternals();
  readonly #view: View;
  readonly #darkness = matchMedia('(prefers-color-scheme: dark)');
  readonly #followDarkness = () => this.#view.setDark(this.#isDark);
  #later = new Later<RunningContainer>();
  #current: Run | undefined;

  constructor() {
    super();
    this.#internals.role = 'group';
    this.#view = new View(this.attachShadow({ mode: 'open' }), {
      run: () => void this.run().catch(() => {}),
      cancel: () => this.#end(),
      stop: () => void this.stop().catch(() => {}),
      kill: () => this.#current && once(this.#current, (container) => void container.kill()),
    });
  }

  /** The container of this run, or of the next one. Rejects if it cannot start. */
  get container(): Promise<RunningContainer> {
    return this.#later.promise;
  }

  /** Whether it runs as soon as it is in the page. Otherwise its button does so. */
  get autostart(): boolean {
    return this.hasAttribute('autostart');
  }

  set autostart(value: boolean) {
    this.toggleAttribute('autostart', value);
  }

  /** `light` or `dark`; otherwise as the system. */
  get theme(): string {
    return this.getAttribute('theme') ?? '';
  }

  set theme(value: string) {
    this.setAttribute('theme', value);
  }

  /**
   * Runs what the attributes say, unless something runs already.
   * @returns the container when its program runs
   */
  run(): Promise<RunningContainer> {
    if (this.#current) return this.#current.container;
    if (!this.isConnected) return Promise.reject(new Error('put the element into the page first'));
    const abort = new AbortController();
    const run: Run = { abort, container: this.#later.promise };
    this.#current = run;
    this.#live(run).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      this.#finish(run, error);
      this.#view.showProblem(problemOf(error, globalThis));
      this.#tell('linuxrun-error', { error });
    });
    return run.container;
  }

  /** Asks the program to end, and kills it if it has not ended within 10 s. @returns its status */
  async stop(): Promise<number | undefined> {
    const container = await this.#current?.container;
    if (!container) return undefined;
    this.#view.showStopping();
    return container.stop();
  }

  override focus(options?: FocusOptions): void {
    this.#view.focus(options);
  }

  connectedCallback(): void {
    this.#darkness.addEventListener('change', this.#followDarkness);
    if (this.#current) return;
    this.#view.showIdle(nameOf(this));
    if (this.autostart) this.run().catch(() => {});
  }

  disconnectedCallback(): void {
    this.#darkness.removeEventListener('change', this.#followDarkness);
    queueMicrotask(() => {
      // An element that moves to another place keeps its container.
      if (!this.isConnected) this.#end();
    });
  }

  attributeChangedCallback(name: string): void {
    this.#internals.ariaLabel = `Terminal: ${nameOf(this)}`;
    if (name === 'theme') this.#view.setDark(this.#isDark);
    else if (!this.#current && this.isConnected) this.#view.showIdle(nameOf(this));
  }

  get #isDark(): boolean {
    return this.theme === 'dark' || (this.theme !== 'light' && this.#darkness.matches);
  }

  /** A run, from its start to its end. */
  async #live(run: Run): Promise<void> {
    const { signal } = run.abort;
    const problem = obstacle(globalThis);
    if (problem) throw problem;
    const screen = this.#view.openScreen(
      {
        onInput: (bytes) => once(run, (container) => type(container, bytes)),
        onResize: ({ columns, rows }) => once(run, (container) => container.resize(columns, rows)),
      },
      this.#isDark,
    );
    const progress = new StartProgress();
    const show = () => this.#current === run && this.#view.showProgress(progress.current);
    show();
    const container = await containerOf(this)
      .terminal(screen.size)
      .signal(signal)
      .onProgress((event) => {
        progress.pull(event);
        show();
      })
      .onBoot(() => {
        progress.boot();
        show();
      })
      .run();
    // The terminal may have changed its size meanwhile.
    container.resize(screen.size.columns, screen.size.rows);
    this.#start(run, container);
    await Promise.all([container.stdout, container.stderr].map((output) => this.#show(output, screen)));
    const status = await container.wait();
    this.#finish(run);
    this.#view.showEnd(status);
    this.#tell('linuxrun-exit', { status });
  }

  #start(run: Run, container: RunningContainer): void {
    run.abort.signal.throwIfAborted();
    const hasFocus = this.matches(':focus-within');
    this.#view.showRunning();
    if (hasFocus) this.#view.focus();
    container.on('network', ({ reason, state, isMissed }) => {
      if (reason && (state === 'down' || isMissed)) this.#view.note(reason);
    });
    this.#later.resolve(container);
    this.#tell('linuxrun-start', { container });
  }

  async #show(output: ReadableStream<Uint8Array>, screen: Screen): Promise<void> {
    for (const reader = output.getReader(); ; ) {
      const { value } = await reader.read();
      if (!value) return;
      this.#tell('linuxrun-output', { bytes: value });
      await screen.write(value);
    }
  }

  /** Ends the run, if there is one, and everything that it holds. */
  #end(): void {
    const run = this.#current;
    if (!run) return;
    const reason = new DOMException('the run was cancelled', 'AbortError');
    run.abort.abort(reason);
    this.#finish(run, reason);
    this.#view.showIdle(nameOf(this));
  }

  /** @param error why the container never ran */
  #finish(run: Run, error?: unknown): void {
    if (this.#current !== run) return;
    this.#later.reject(error);
    this.#later = new Later();
    this.#current = undefined;
  }

  #tell<Name extends keyof Details>(name: Name, detail: Details[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

/** Acts as soon as the container runs. */
function once({ container }: Run, action: (container: RunningContainer) => void): void {
  container.then(action, () => {});
}

/** Sends typed bytes, unless the page itself writes to the program. */
function type({ stdin }: RunningContainer, bytes: Uint8Array): void {
  if (stdin.locked) return;
  const writer = stdin.getWriter();
  // A program that has ended reads nothing more.
  writer.write(bytes).catch(() => {});
  writer.releaseLock();
}

for (const name of OPTIONS)
  Object.defineProperty(LinuxRunElement.prototype, name, {
    get(this: LinuxRunElement) {
      return this.getAttribute(name) ?? '';
    },
    set(this: LinuxRunElement, value: unknown) {
      if (value === undefined || value === null) this.removeAttribute(name);
      else this.setAttribute(name, String(value));
    },
    configurable: true,
    enumerable: true,
  });

// A page may have loaded it by two bundles.
if (!customElements.get(NAME)) customElements.define(NAME, LinuxRunElement);

declare global {
  interface HTMLElementTagNameMap {
    'linux-run': LinuxRunElement;
  }
  interface HTMLElementEventMap extends LinuxRunEvents {}
}

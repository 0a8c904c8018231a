/** What the element shows: a terminal, a cover before it, and a bar below it. */
import xtermStyle from '@xterm/xterm/css/xterm.css?inline';
import { Screen, type ScreenEvents } from '../terminal/screen.ts';
import type { Problem } from './problem.ts';
import type { Progress } from './progress.ts';
import style from './style.css?inline';

/** What the user asks for. */
export interface ViewActions {
  run(): void;
  cancel(): void;
  stop(): void;
  kill(): void;
}

/** The action of the button in the bar. */
type BarAction = keyof ViewActions;

const LABELS: Record<BarAction, string> = {
  run: 'Run again',
  cancel: 'Cancel',
  stop: 'Stop',
  kill: 'Kill now',
};

export class View {
  readonly #screens = element('div', 'screens');
  readonly #readButton = button('read', 'Tell screen readers what is in the terminal');
  readonly #cover = element('div', 'cover');
  readonly #bar = element('div', 'bar');
  readonly #state = element('span', 'state');
  readonly #note = element('span', 'note');
  readonly #barButton = button('action', '');
  readonly #root: ShadowRoot;
  readonly #actions: ViewActions;
  #barAction: BarAction = 'run';
  #screen: Screen | undefined;
  #isReadable = false;

  constructor(root: ShadowRoot, actions: ViewActions) {
    this.#root = root;
    this.#actions = actions;
    root.adoptedStyleSheets = [xtermStyle, style].map(sheetOf);
    const stage = element('div', 'stage');
    stage.append(this.#readButton, this.#screens, this.#cover);
    this.#bar.append(this.#state, this.#note, this.#barButton);
    this.#bar.setAttribute('part', 'bar');
    this.#state.setAttribute('role', 'status');
    root.append(stage, this.#bar);
    this.#readButton.onclick = () => this.#read(!this.#isReadable);
    this.#barButton.onclick = () => this.#actions[this.#barAction]();
  }

  /** Opens a new terminal in place of the last one. */
  openScreen(events: Pick<ScreenEvents, 'onInput' | 'onResize'>, dark: boolean): Screen {
    this.#closeScreen();
    const place = element('div', 'screen');
    this.#screens.append(place);
    this.#screen = new Screen(place, { ...events, onLeaveKey: () => this.#barButton.focus() }, dark);
    this.#screen.setReadable(this.#isReadable);
    return this.#screen;
  }

  setDark(dark: boolean): void {
    this.#screen?.setDark(dark);
  }

  showIdle(name: string): void {
    this.#closeScreen();
    const run = button('run', `Run ${name}`);
    run.setAttribute('part', 'run');
    run.onclick = () => this.#actions.run();
    this.#show('', undefined, run);
  }

  showProgress({ text, share }: Progress): void {
    const label = element('p', 'progress');
    label.textContent = share === undefined ? text : `${text}: ${Math.floor(share * 100)} %`;
    const bar = document.createElement('progress');
    bar.setAttribute('aria-label', text);
    if (share !== undefined) bar.value = share;
    this.#show('Starting', 'cancel', label, bar);
  }

  showRunning(): void {
    this.#show('Running', 'stop');
    this.note('Ctrl-F6 leaves the terminal');
  }

  showStopping(): void {
    this.#show('Stopping, in 10 seconds at most', 'kill');
  }

  showEnd(status: number): void {
    this.#screen?.freeze();
    this.#show(`Ended with status ${status}`, 'run');
  }

  showProblem({ title, text }: Problem): void {
    const alert = element('div', 'problem');
    alert.setAttribute('role', 'alert');
    const [heading, details] = [element('strong', 'title'), element('p', 'details')];
    heading.textContent = title;
    details.textContent = text;
    alert.append(heading, details);
    const again = button('run', 'Try again');
    again.onclick = () => this.#actions.run();
    this.#show('Failed', undefined, alert, again);
  }

  /** Says something beside the state. */
  note(text: string): void {
    this.#note.textContent = text;
  }

  /** Gives the focus to the terminal, or to the first button. */
  focus(options?: FocusOptions): void {
    const first = this.#cover.querySelector('button') ?? this.#barButton;
    if (this.#screen && this.#cover.hidden) this.#screen.focus();
    else first.focus(options);
  }

  #closeScreen(): void {
    this.#screen?.dispose();
    this.#screen = undefined;
    this.#screens.replaceChildren();
  }

  /**
   * @param action of the button in the bar
   * @param contents cover the terminal
   */
  #show(state: string, action: BarAction | undefined, ...contents: readonly HTMLElement[]): void {
    const focused = this.#root.activeElement;
    this.#showBar(state, action);
    this.#cover.replaceChildren(...contents);
    this.#cover.hidden = contents.length === 0;
    this.#readButton.hidden = !this.#cover.hidden;
    // The focus stays in the element.
    if (focused && (!focused.isConnected || focused.closest('[hidden]'))) this.focus();
  }

  #showBar(state: string, action: BarAction | undefined): void {
    // Screen readers announce it again if it is set again.
    if (this.#state.textContent !== state) this.#state.textContent = state;
    this.note('');
    this.#bar.hidden = state === '';
    this.#barButton.hidden = action === undefined;
    if (action === undefined) return;
    this.#barAction = action;
    this.#barButton.textContent = LABELS[action];
  }

  #read(isReadable: boolean): void {
    this.#isReadable = isReadable;
    this.#readButton.ariaPressed = String(isReadable);
    this.#screen?.setReadable(isReadable);
  }
}

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function button(className: string, label: string): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = label;
  return made;
}

/** A style sheet that policies against inline styles permit. */
function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

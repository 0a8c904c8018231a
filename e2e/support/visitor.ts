import { expect as expectSoon, type Locator, type Page } from '@playwright/test';

/** The parameters of a link: the variables' names without prefix, in lower case. */
export type Link = Partial<
  Record<
    'image' | 'entrypoint' | 'args' | 'env' | 'memory' | 'cpus' | 'disk' | 'init' | 'network' | 'ports',
    string
  >
>;

export const BUSYBOX = 'oci://images:busybox';
export const HELLO_WORLD = 'oci://images:hello-world';
/** The output of hello-world. */
export const HELLO = /^Hello from LinuxRun!$/m;

/** Allows for slow hosts and for several machines at the same time. */
const expect = expectSoon.configure({ timeout: 60_000 });

/** The prompt of BusyBox's shell in the root folder. */
const PROMPT = /^\/ #$/m;

/** Returns the query of a link. */
export function linkTo(link: Link): string {
  const parameters = Object.entries(link).map(([name, value]) => [`LINUXRUN_${name.toUpperCase()}`, value]);
  return `?${new URLSearchParams(parameters)}`;
}

/** A visitor who uses a mouse, a keyboard and the screen. */
export class Visitor {
  readonly page: Page;
  readonly image: Locator;
  /** The page's summary of what will run. */
  readonly whatRuns: Locator;
  readonly state: Locator;
  readonly problem: Locator;
  /** The progress of the image's pull. */
  readonly layers: Locator;
  readonly terminals: Locator;

  constructor(page: Page) {
    this.page = page;
    this.image = page.getByLabel('Image', { exact: true });
    this.whatRuns = page.getByLabel('What will run');
    this.state = page.locator('.session-bar').getByRole('status').first();
    this.problem = page.getByRole('alert');
    this.layers = page.getByRole('region', { name: 'Progress' }).locator('.layer');
    this.terminals = page.locator('.xterm');
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  field(label: string): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** Replaces the text of a field by typing. React does not notice text that Playwright sets in Firefox. */
  async fill(field: Locator, text: string): Promise<void> {
    await field.selectText();
    await field.press('Delete');
    await field.pressSequentially(text);
  }

  /** A figure in the status bar. */
  figure(label: string): Locator {
    const figures = this.page.getByLabel('Figures').locator('div');
    return figures.filter({ hasText: new RegExp(`^${label}`) }).locator('dd');
  }

  async open(link: Link = {}): Promise<void> {
    await this.page.goto(`./${linkTo(link)}`);
  }

  /** Lets the page use the clipboard, which it may in our Firefox. */
  async allowClipboard(): Promise<void> {
    const context = this.page.context();
    if (context.browser()?.browserType().name() === 'chromium')
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  }

  /** Chooses an image from the catalogue. */
  async choose(name: string): Promise<void> {
    await this.page
      .locator('button[aria-pressed]')
      .filter({ hasText: new RegExp(`^${name}`) })
      .first()
      .click();
  }

  /** Drops a file or a folder on the page, or on a part of it, as a file manager does. */
  async drop(path: string, target?: Locator): Promise<void> {
    await target?.scrollIntoViewIfNeeded();
    const { x = 0, y = 0, width = 600, height = 600 } = (await target?.boundingBox()) ?? {};
    const at = { x: Math.round(x + width / 2), y: Math.round(y + height / 2) };
    const devTools = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await devTools.send('Input.dispatchDragEvent', { type, ...at, data });
    await devTools.detach();
  }

  async openOptions(): Promise<void> {
    await this.page.getByRole('button', { name: 'Options', expanded: false }).click();
  }

  async addVariable(name: string, value: string): Promise<void> {
    await this.button('Add a variable').click();
    await this.fill(this.page.getByLabel(/^Name of variable/).last(), name);
    await this.fill(this.page.getByLabel(/^Value of variable/).last(), value);
  }

  async run(): Promise<void> {
    await this.button('Run').click();
  }

  /** Leaves a running container, and agrees to its end unless it is kept. */
  async endAndRunAnother(): Promise<void> {
    await this.button('Run another').click();
    const question = this.button('End it');
    await expect(question.or(this.image)).toBeVisible();
    if (await question.isVisible()) await question.click();
  }

  /** Opens a link and runs it. */
  async runLink(link: Link): Promise<void> {
    await this.open(link);
    await this.run();
  }

  /** Returns the text on the visible terminal's screen. */
  async screenText(): Promise<string> {
    const rows = await this.page.locator('.xterm-rows:visible > div').allTextContents();
    return rows
      .map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** @param timeout in ms; the usual timeout unless given */
  async expectScreen(pattern: RegExp, timeout?: number): Promise<void> {
    await expect.poll(() => this.screenText(), timeout ? { timeout } : {}).toMatch(pattern);
  }

  /** Waits for a text on the screen. @returns the text that its groups matched */
  async read(pattern: RegExp): Promise<string[]> {
    let groups: string[] | undefined;
    await expect(async () => {
      groups = pattern.exec(await this.screenText())?.slice(1);
      expect(groups).toBeDefined();
    }).toPass();
    return groups ?? [];
  }

  async expectPrompt(): Promise<void> {
    await this.expectScreen(PROMPT);
  }

  async expectExit(status: number): Promise<void> {
    await expect(this.state).toHaveText(`Ended with status ${status}`);
  }

  /** Expects a problem's text and its advice. */
  async expectProblem(...patterns: readonly RegExp[]): Promise<void> {
    for (const pattern of patterns) await expect(this.problem.first()).toContainText(pattern);
  }

  /** @param notes the note on each layer, in order */
  async expectLayers(...notes: readonly RegExp[]): Promise<void> {
    await expect(this.layers).toHaveCount(notes.length);
    for (const [index, note] of notes.entries()) await expect(this.layers.nth(index)).toContainText(note);
  }

  /** Types a command line into BusyBox's shell, and waits for the next prompt. */
  async command(line: string): Promise<void> {
    const parts = async () => (await this.screenText()).split(`# ${line}\n`);
    // The same line may be on the screen already.
    const before = (await parts()).length;
    await this.type(line);
    await expect.poll(async () => (await parts())[before] ?? '').toMatch(/^\/ #$/m);
  }

  /** Types a command line into the terminal. */
  async type(line: string): Promise<void> {
    await this.page.locator('.xterm-helper-textarea:visible').focus();
    await this.page.keyboard.type(`${line}\n`);
  }
}

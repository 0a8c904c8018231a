import { expect as expectSoon, type Locator, type Page } from '@playwright/test';

/** What a link may say, by its variables' names without prefix, in lower case. */
export type Link = Partial<
  Record<'image' | 'entrypoint' | 'args' | 'env' | 'memory' | 'cpus' | 'disk', string>
>;

export const BUSYBOX = 'oci://images:busybox';
export const HELLO_WORLD = 'oci://images:hello-world';
/** What hello-world says. */
export const HELLO = /^Hello from LinuxRun!$/m;

/** Machines may be slow, and many at once. */
const expect = expectSoon.configure({ timeout: 60_000 });

/** The shell of BusyBox, in the root folder. */
const PROMPT = /^\/ #$/m;

/** The query of a link. */
export function linkTo(link: Link): string {
  const parameters = Object.entries(link).map(([name, value]) => [`LINUXRUN_${name.toUpperCase()}`, value]);
  return `?${new URLSearchParams(parameters)}`;
}

/** Somebody with a mouse, a keyboard and eyes. */
export class Visitor {
  readonly page: Page;
  readonly image: Locator;
  /** What the page says would run. */
  readonly whatRuns: Locator;
  readonly state: Locator;
  readonly problem: Locator;
  /** Of the image, on its way. */
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

  /** In the status bar. */
  figure(label: string): Locator {
    const figures = this.page.getByLabel('Figures').locator('div');
    return figures.filter({ hasText: new RegExp(`^${label}`) }).locator('dd');
  }

  async open(link: Link = {}): Promise<void> {
    await this.page.goto(`./${linkTo(link)}`);
  }

  /** Chooses from the catalogue. */
  async choose(name: string): Promise<void> {
    await this.page
      .locator('button[aria-pressed]')
      .filter({ hasText: new RegExp(`^${name}`) })
      .click();
  }

  /** Drops a file or a folder on the page, as from a file manager. */
  async drop(path: string): Promise<void> {
    const devTools = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await devTools.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await devTools.detach();
  }

  async openOptions(): Promise<void> {
    await this.page.getByRole('button', { name: 'Options', expanded: false }).click();
  }

  async addVariable(name: string, value: string): Promise<void> {
    await this.button('Add a variable').click();
    await this.page
      .getByLabel(/^Name of variable/)
      .last()
      .fill(name);
    await this.page
      .getByLabel(/^Value of variable/)
      .last()
      .fill(value);
  }

  async run(): Promise<void> {
    await this.button('Run').click();
  }

  /** Opens a link and runs what it says. */
  async runLink(link: Link): Promise<void> {
    await this.open(link);
    await this.run();
  }

  /** The text on the screen of the terminal that is seen. */
  async screenText(): Promise<string> {
    const rows = await this.page.locator('.xterm-rows:visible > div').allTextContents();
    return rows
      .map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** @param timeout ms; as long as all other waits unless given */
  async expectScreen(pattern: RegExp, timeout?: number): Promise<void> {
    await expect.poll(() => this.screenText(), timeout ? { timeout } : {}).toMatch(pattern);
  }

  /** Waits for a text on the screen. @returns what its groups matched */
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

  /** What a problem says, and to do about it. */
  async expectProblem(...patterns: readonly RegExp[]): Promise<void> {
    for (const pattern of patterns) await expect(this.problem.first()).toContainText(pattern);
  }

  /** @param notes on each layer, in their order */
  async expectLayers(...notes: readonly RegExp[]): Promise<void> {
    await expect(this.layers).toHaveCount(notes.length);
    for (const [index, note] of notes.entries()) await expect(this.layers.nth(index)).toContainText(note);
  }

  /** Types a command line into BusyBox's shell, and waits until that takes the next one. */
  async command(line: string): Promise<void> {
    await this.type(line);
    await expect.poll(async () => (await this.screenText()).split(`# ${line}\n`)[1]).toMatch(/^\/ #$/m);
  }

  /** Types a command line into the terminal. */
  async type(line: string): Promise<void> {
    await this.page.locator('.xterm-helper-textarea:visible').focus();
    await this.page.keyboard.type(`${line}\n`);
  }
}

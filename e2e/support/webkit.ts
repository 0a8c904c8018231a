/** Debian's WebKit: MiniBrowser on a screen that nobody sees. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { WebDriver } from './web-driver.ts';

const DRIVER = '/usr/bin/WebKitWebDriver';
const SCREEN = '/usr/bin/Xvfb';
const BROWSER = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;
const ENTER = '\uE007';
const HOME = '\uE011';

export const hasWebKit = [DRIVER, SCREEN, BROWSER].every((path) => existsSync(path));

/** An X server without a monitor. */
export class VirtualScreen {
  readonly name: string;
  readonly #process: ChildProcess;

  private constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.#process = process;
  }

  static async start(): Promise<VirtualScreen> {
    // It chooses a free number, and writes it to descriptor 3.
    const args = ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'];
    const server = spawn(SCREEN, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    for await (const number of createInterface(server.stdio[3] as Readable))
      return new VirtualScreen(`:${number}`, server);
    throw new Error('Xvfb did not start');
  }

  stop(): void {
    this.#process.kill();
  }
}

export interface WebKitOptions {
  readonly screen: string;
  /** WebKitGTK has it, but hides it from pages unless this is set. */
  readonly hasSharedMemory: boolean;
}

/** A visitor with WebKit, a mouse and a keyboard. */
export class WebKitVisitor {
  readonly #driver: WebDriver;

  private constructor(driver: WebDriver) {
    this.#driver = driver;
  }

  static async start({ screen, hasSharedMemory }: WebKitOptions): Promise<WebKitVisitor> {
    const args = ['--automation', '--enable-write-console-messages-to-stdout=true'];
    const driver = await WebDriver.start({
      program: DRIVER,
      env: {
        ...process.env,
        DISPLAY: screen,
        NO_AT_BRIDGE: '1',
        WEBKIT_DISABLE_DMABUF_RENDERER: '1',
        ...(hasSharedMemory && { JSC_useSharedArrayBuffer: '1' }),
      },
      capabilities: { 'webkitgtk:browserOptions': { binary: BROWSER, args } },
    });
    await driver.resize(1000, 700);
    return new WebKitVisitor(driver);
  }

  stop(): Promise<void> {
    return this.#driver.stop();
  }

  /** What the pages have logged as errors and warnings. */
  get errors(): string[] {
    return this.#driver.output.filter((line) => /^CONSOLE .*\b(ERROR|WARN)/.test(line));
  }

  get version(): string {
    return this.#driver.version;
  }

  open(url: string): Promise<void> {
    return this.#driver.open(url);
  }

  /** Runs the body of a function in the page. */
  run<Result>(body: string): Promise<Result> {
    return this.#driver.run(body);
  }

  reload(): Promise<void> {
    return this.#driver.reload();
  }

  /** Clicks the button of this name. */
  press(name: string): Promise<void> {
    return this.#driver.click(
      `return [...document.querySelectorAll('button')].find((button) => button.offsetParent && !button.disabled
        && (button.ariaLabel || button.textContent).trim() === arguments[0]) ?? null`,
      name,
    );
  }

  /** Chooses an image from the catalogue. */
  choose(image: string): Promise<void> {
    return this.#driver.click(
      `return [...document.querySelectorAll('button[aria-pressed]')].find(({ textContent }) =>
        textContent.startsWith(arguments[0])) ?? null`,
      image,
    );
  }

  /** Starts the project of this name. */
  start(project: string): Promise<void> {
    return this.#driver.click(
      `return [...document.querySelectorAll('button.item')].find(({ textContent }) =>
        textContent.startsWith(arguments[0])) ?? null`,
      project,
    );
  }

  /** Types at the start of the first line in the editor. */
  async edit(text: string): Promise<void> {
    await this.#driver.click(`return document.querySelector('.editor-panel:not([hidden]) .cm-line')`);
    await this.#driver.type(`${HOME}${text}`);
  }

  /** Types a command line into the terminal that is seen. */
  async type(line: string): Promise<void> {
    await this.#driver.run(
      `[...document.querySelectorAll('.xterm-helper-textarea')].find((area) => area.offsetParent).focus()`,
    );
    await this.#driver.type(line + ENTER);
  }

  /** Returns the text on the screen of the terminal that is seen. */
  screenText(): Promise<string> {
    return this.#driver.run(
      `const rows = [...document.querySelectorAll('.xterm-rows')].find((rows) => rows.offsetParent)?.children ?? [];
      return [...rows].map((row) => row.textContent.replaceAll('\\u00a0', ' ').trimEnd()).join('\\n').trimEnd()`,
    );
  }

  pageText(): Promise<string> {
    return this.#driver.run('return document.body.innerText');
  }
}

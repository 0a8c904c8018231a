/** A client of W3C WebDriver, for browsers that Playwright does not drive. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 50;
const PATIENCE_MS = 60_000;
/** The name of an element's id in the protocol. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

export interface DriverOptions {
  /** A program that takes `--port=`. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly capabilities: object;
}

/** Errors of the protocol that end by themselves. */
const PASSING = ['stale element reference', 'element not interactable', 'element click intercepted'];

/** An error of the protocol. */
class Refusal extends Error {}

interface Failure {
  readonly error: string;
  readonly message: string;
}

interface NewSession {
  readonly sessionId: string;
  readonly capabilities: { readonly browserVersion: string };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** One window of a browser. */
export class WebDriver {
  readonly #process: ChildProcess;
  readonly #url: string;
  #session = '';
  #version = '';
  /** The lines that the driver and its browser print, the console of the page among them. */
  readonly output: string[] = [];

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
    let rest = '';
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.output.push(...lines);
    });
  }

  static async start({ program, env, capabilities }: DriverOptions): Promise<WebDriver> {
    const port = await freePort();
    const process = spawn(program, [`--port=${port}`], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const driver = new WebDriver(process, `http://127.0.0.1:${port}`);
    await driver.#begin(capabilities);
    return driver;
  }

  async #begin(capabilities: object): Promise<void> {
    const body = { capabilities: { alwaysMatch: capabilities } };
    const { sessionId, capabilities: had } = await until(() =>
      this.#send<NewSession>('POST', '/session', body).catch((error: unknown) => {
        if (!(error instanceof TypeError)) throw error;
        // It does not listen yet.
        return undefined;
      }),
    );
    this.#session = `/session/${sessionId}`;
    this.#version = had.browserVersion;
  }

  /** The browser's own. */
  get version(): string {
    return this.#version;
  }

  async stop(): Promise<void> {
    await this.#send('DELETE', this.#session).catch(() => {});
    this.#process.kill();
  }

  open(url: string): Promise<void> {
    return this.#send('POST', `${this.#session}/url`, { url });
  }

  reload(): Promise<void> {
    return this.#send('POST', `${this.#session}/refresh`, {});
  }

  resize(width: number, height: number): Promise<void> {
    return this.#send('POST', `${this.#session}/window/rect`, { width, height });
  }

  /** Runs the body of a function in the page. */
  run<Result>(script: string, ...args: readonly unknown[]): Promise<Result> {
    return this.#send('POST', `${this.#session}/execute/sync`, { script, args });
  }

  /** Clicks the element that a script returns, as soon as that is possible. */
  async click(script: string, ...args: readonly unknown[]): Promise<void> {
    await until(async () => {
      const found = await this.run<Record<string, string> | null>(script, ...args);
      return found && this.#tryToClick(found[ELEMENT] ?? '');
    });
  }

  async #tryToClick(element: string): Promise<boolean> {
    try {
      await this.#send('POST', `${this.#session}/element/${element}/click`, {});
      return true;
    } catch (error) {
      // The page has just drawn it anew, or has something else in its place.
      if (error instanceof Refusal && PASSING.includes(error.message)) return false;
      throw error;
    }
  }

  /** Types into what has the focus. */
  async type(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    const keyboard = { type: 'key', id: 'keyboard', actions };
    await this.#send('POST', `${this.#session}/actions`, { actions: [keyboard] });
  }

  async #send<Result = void>(method: string, path: string, body?: object): Promise<Result> {
    const response = await fetch(this.#url + path, { method, body: body ? JSON.stringify(body) : null });
    const { value } = (await response.json()) as { value: Result & Failure };
    if (!response.ok) throw new Refusal(value.error, { cause: `${method} ${path}: ${value.message}` });
    return value;
  }
}

/** Tries until there is a result. */
async function until<Result>(attempt: () => Promise<Result | null | undefined>): Promise<Result> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(RETRY_MS)) {
    const result = await attempt();
    if (result) return result;
  }
  throw new Error('the browser has not answered in time, or has not shown what was to be clicked');
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The production server, as a process of its own. */
export class ProductionServer {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  /** @param file `server.mjs`, beside the folder `site` */
  static async start(file: string, env: NodeJS.ProcessEnv): Promise<ProductionServer> {
    const server = spawn(process.execPath, [file], {
      cwd: '/',
      env: { PATH: process.env.PATH, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(server.stdout as Readable)) {
      const [url] = /http:\S+/.exec(line) ?? [];
      if (url) return new ProductionServer(url, server);
    }
    throw new Error('the server ended before it printed its URL');
  }

  /** Interrupts the server. @returns its exit code */
  async stop(): Promise<number | null> {
    this.#process.kill('SIGTERM');
    const [code] = await once(this.#process, 'exit');
    return code;
  }
}

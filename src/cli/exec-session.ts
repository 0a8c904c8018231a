import type { RawData, WebSocket } from 'ws';
import type { Child, RunningContainer } from '../api/public.ts';
import type { OutputStream } from '../docker/output-log.ts';
import { toRecord } from '../options/assignments.mjs';
import { SIGHUP } from '../options/signals.ts';
import type { ExecControl, ExecStart, OwnerMessage } from './owner-protocol.ts';

/**
 * A process that the owner of a container runs for a client. When the client goes, the process loses its
 * streams and its terminal.
 */
export class ExecSession {
  readonly #container: RunningContainer;
  readonly #client: WebSocket;
  /** Rejects when the client has gone. */
  readonly #gone: Promise<never>;
  #process: Child | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array> | undefined;

  constructor(container: RunningContainer, client: WebSocket) {
    this.#container = container;
    this.#client = client;
    this.#gone = new Promise((_, reject) => {
      client.once('close', () => reject(new Error('the client has gone')));
    });
    this.#gone.catch(() => {});
  }

  /** Runs the process that the client's first message describes, until it ends or the client goes. */
  async run(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // Messages may follow each other at once.
      this.#client.on('message', (data, isBinary) => {
        try {
          if (this.#process) this.#take(this.#process, data, isBinary);
          else this.#start(JSON.parse(String(data))).then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      });
      this.#gone.catch(reject);
    }).finally(() => this.#leave());
  }

  async #start({ args, env, user, currentDir, terminal, detach }: ExecStart): Promise<void> {
    const process = this.#container.exec(args, { env: toRecord(env), user, currentDir, terminal });
    this.#process = process;
    this.#input = process.stdin.getWriter();
    const outputs: readonly [OutputStream, ReadableStream<Uint8Array>][] = [
      [1, process.stdout],
      [2, process.stderr],
    ];
    if (detach) {
      for (const [, output] of outputs) output.pipeTo(new WritableStream()).catch(() => {});
      this.#closeInput();
      await this.#tellExit((await process.started) ? 0 : await process.wait());
      this.#process = undefined;
    } else {
      await Promise.all(outputs.map(([stream, output]) => this.#copy(stream, output)));
      await this.#tellExit(await process.wait());
    }
  }

  #take(process: Child, data: RawData, isBinary: boolean): void {
    if (isBinary) {
      // The client waits until the process has read.
      this.#client.pause();
      const written = this.#input?.write(data as Buffer) ?? Promise.resolve();
      void written.catch(() => {}).finally(() => this.#client.resume());
      return;
    }
    const control: ExecControl = JSON.parse(String(data));
    if (control.type === 'resize') process.resize(control.columns, control.rows);
    else if (control.type === 'signal') kill(process, control.signal);
    else this.#closeInput();
  }

  /** Closing fails if the process has ended without reading all of its input, which is no error. */
  #closeInput(): void {
    this.#input?.close().catch(() => {});
  }

  #leave(): void {
    this.#closeInput();
    if (this.#process) kill(this.#process, SIGHUP);
  }

  async #copy(stream: OutputStream, output: ReadableStream<Uint8Array>): Promise<void> {
    const reader = output.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read())
        await Promise.race([sendOutput(this.#client, stream, next.value), this.#gone]);
    } catch (error) {
      await reader.cancel().catch(() => {});
      throw error;
    }
  }

  #tellExit(status: number): Promise<void> {
    return sendMessage(this.#client, { type: 'exit', status });
  }
}

/** No such signal is no error of the container. */
function kill(process: Child, signal: number): void {
  process.kill(signal).catch(() => {});
}

/** Resolves when the bytes are on their way, so that a slow client slows only what is sent to it. */
export function sendOutput(client: WebSocket, stream: OutputStream, bytes: Uint8Array): Promise<void> {
  return send(client, Buffer.concat([Uint8Array.of(stream), bytes]));
}

export function sendMessage(client: WebSocket, message: OwnerMessage): Promise<void> {
  return send(client, JSON.stringify(message));
}

function send(client: WebSocket, message: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.send(message, (error) => (error ? reject(error) : resolve()));
  });
}

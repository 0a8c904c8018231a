import { transfer } from 'comlink';
import { type Container, startContainer } from '../../container/container.ts';
import { SIGKILL } from '../../container/signals.ts';
import { deferred } from '../../machine/deferred.ts';
import { browserPlatform } from '../../machine/platform/browser.ts';
import type { Platform } from '../../machine/platform/platform.ts';
import { chunks } from '../../machine/streams.ts';
import { ImageError, messageOf } from '../../oci/errors.ts';
import { Throttle } from './events.ts';
import { sessionImage } from './image.ts';
import type { Failure, Figures, SessionClient, SessionRequest, TerminalSize } from './messages.ts';

const TERMINAL_TYPE = 'xterm-256color';
/** What of the kernel's log is told when a machine fails. */
const LOG_LENGTH = 4096;

/** One image, its machine and its container, in a worker that lives as long as they do. */
export class Session {
  readonly #abort = new AbortController();
  readonly #ended = deferred<void>();
  #container: Container | undefined;
  #size: TerminalSize | undefined;
  #keyboard: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #log = '';

  /** Runs a container to its end. All there is to know comes as events, failures too. */
  async run(request: SessionRequest, client: SessionClient): Promise<void> {
    const events = new Throttle((event) => void client.onEvent(event));
    try {
      const image = sessionImage(request, this.#abort.signal, events.send);
      image.then(
        () => events.send({ type: 'image-ready' }),
        () => {},
      );
      const container = await startContainer({
        ...request,
        image,
        platform: platformOf(request.base, client),
        store: '',
        terminal: { ...request.size, type: TERMINAL_TYPE },
        onConsole: (bytes) => this.#keepLog(bytes),
        onBoot: () => events.send({ type: 'booted' }),
        signal: this.#abort.signal,
      });
      events.send({ type: 'started' });
      events.send({ type: 'exit', status: await this.#converse(container, client, events) });
    } catch (error) {
      this.#abort.abort(error);
      events.send({ type: 'failed', failure: this.#failureOf(error) });
    } finally {
      this.#ended.resolve();
    }
  }

  /** Gives up before there is a container; resolves when nothing is left of the attempt but complete layers. */
  async cancel(): Promise<void> {
    this.#abort.abort(new DOMException('cancelled', 'AbortError'));
    await this.#ended.promise;
  }

  /** What was typed. Nobody may read it any more; then it is lost. */
  write(bytes: Uint8Array): void {
    this.#keyboard?.write(bytes).catch(() => {});
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#container?.resize(size.columns, size.rows);
  }

  /** Asks the container to end; it is killed when it has not after a while. */
  stop(): void {
    void this.#container?.stop();
  }

  kill(): void {
    this.#container?.kill(SIGKILL);
  }

  figures(): Figures | undefined {
    const stats = this.#container?.stats();
    if (!stats) return undefined;
    return { instructions: stats.instructions.reduce((sum, each) => sum + each, 0), seconds: stats.seconds };
  }

  /** Connects the container with the page until it ends; returns its status. */
  async #converse(container: Container, client: SessionClient, events: Throttle): Promise<number> {
    this.#container = container;
    this.#keyboard = container.stdin.getWriter();
    // It may have changed while the machine was booting.
    if (this.#size) this.resize(this.#size);
    try {
      const [status] = await Promise.all([
        container.exit,
        forward(container.stdout, (bytes) => client.onOutput(transfer(bytes, [bytes.buffer]))),
        forward(container.messages, (bytes) => {
          events.send({ type: 'message', text: new TextDecoder().decode(bytes) });
        }),
        // Its end is all that comes of it where there is a terminal.
        forward(container.stderr, () => {}),
      ]);
      return status;
    } finally {
      this.#container = undefined;
      await container.destroy();
    }
  }

  #keepLog(bytes: Uint8Array): void {
    this.#log = (this.#log + new TextDecoder().decode(bytes)).slice(-LOG_LENGTH);
  }

  #failureOf(error: unknown): Failure {
    const name = error instanceof Error || error instanceof DOMException ? error.name : 'Error';
    const kind = error instanceof ImageError ? error.kind : undefined;
    return { name, kind, message: messageOf(error), ...(name === 'MachineError' && { log: this.#log }) };
  }
}

/** The page has loaded a machine's files once, for all of its sessions. */
function platformOf(base: string, client: SessionClient): Platform {
  return {
    ...browserPlatform(base),
    loadEmulator: () => client.emulator(),
    loadFile: (path) => client.machineFile(path),
  };
}

async function forward(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>,
): Promise<void> {
  for await (const bytes of chunks(stream)) await take(bytes);
}

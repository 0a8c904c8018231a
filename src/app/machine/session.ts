import { type ProxyMarked, proxy } from 'comlink';
import { ImageError, MachineError } from '../../api/errors.ts';
import { type ContainerMachine, startContainer } from '../../container/container.ts';
import { deferred } from '../../machine/deferred.ts';
import type { NetworkOptions } from '../../machine/machine.ts';
import { browserPlatform } from '../../machine/platform/browser.ts';
import type { Platform } from '../../machine/platform/platform.ts';
import { FIRST_SIZE, type TerminalSize } from '../../machine/terminal-size.ts';
import { SIGKILL } from '../../options/signals.ts';
import { Previews } from '../../preview/previews.ts';
import { messageOf } from '../../text/message.ts';
import { ContainerFiles } from './container-files.ts';
import { Throttle } from './events.ts';
import { inspectImage, sessionImage } from './image.ts';
import type {
  Failure,
  Figures,
  FurtherTerminalClient,
  ImageRequest,
  Inspection,
  SessionClient,
  SessionRequest,
} from './messages.ts';
import { tellPorts } from './ports.ts';
import { TerminalProcess } from './terminal-process.ts';

/** The size until the terminal is laid out. */
const TERMINAL_TYPE = 'xterm-256color';
/** The best shell that the image has. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'];
/** The length of the kernel's log that is shown when a machine fails. */
const LOG_LENGTH = 4096;

/** One image, its machine and its container, in a worker that lives as long as they do. */
export class Session {
  /** @throws MachineError, from all its methods, when the container has ended */
  readonly files = proxy(new ContainerFiles(() => this.#running));
  readonly #abort = new AbortController();
  readonly #ended = deferred<void>();
  #container: ContainerMachine | undefined;
  #previews: Previews | undefined;
  #terminal: TerminalProcess | undefined;
  #size: TerminalSize | undefined;
  /** What was typed before the container exists. */
  readonly #typed: Uint8Array[] = [];
  #log = '';
  #inspecting = new AbortController();

  /** Runs a container to its end. Reports everything by events, failures too. */
  async run(request: SessionRequest, client: SessionClient): Promise<void> {
    this.stopInspecting();
    const events = new Throttle((event) => void client.onEvent(event));
    try {
      const container = await this.#start(request, client, events);
      events.send({ type: 'exit', status: await this.#converse(container, client, events) });
    } catch (error) {
      this.#abort.abort(error);
      events.send({ type: 'failed', failure: this.#failureOf(error) });
    } finally {
      this.#previews?.end();
      this.#ended.resolve();
    }
  }

  /** Asks the source of an image about it. Another call, or the run, ends this one. */
  async inspect(request: ImageRequest): Promise<Inspection> {
    this.stopInspecting();
    this.#inspecting = new AbortController();
    return inspectImage(request, this.#inspecting.signal).catch((error) => ({
      failure: this.#failureOf(error),
    }));
  }

  stopInspecting(): void {
    this.#inspecting.abort(new DOMException('cancelled', 'AbortError'));
  }

  /** Cancels the start. Resolves when only complete layers are left of it. */
  async cancel(): Promise<void> {
    this.#abort.abort(new DOMException('cancelled', 'AbortError'));
    // The signal is for the time until the container exists.
    await this.#container?.destroy();
    await this.#ended.promise;
  }

  /** Takes the user's input in the first terminal. */
  write(bytes: Uint8Array): void {
    if (this.#terminal) this.#terminal.write(bytes);
    else this.#typed.push(bytes);
  }

  /** Changes the size of the first terminal. */
  resize(size: TerminalSize): void {
    this.#size = size;
    this.#terminal?.resize(size);
  }

  /** Starts a shell in its own terminal. @throws MachineError when the container has ended */
  openTerminal(client: FurtherTerminalClient): TerminalProcess & ProxyMarked {
    const process = this.#running.exec({ args: SHELL, terminal: { ...FIRST_SIZE, type: TERMINAL_TYPE } });
    const terminal = new TerminalProcess(process, client, (bytes) => client.onOutput(forTerminal(bytes)));
    // The first terminal tells the page when the machine fails.
    terminal.ended.then(client.onEnd).catch(() => {});
    return proxy(terminal);
  }

  /**
   * Connects the preview of a port with its server.
   * @param page the URL of the page
   * @param id the session's, in the origins of its previews
   * @param bridge a port to the preview's bridge
   * @throws MachineError when the container has ended
   */
  openPreview(port: number, page: string, id: string, bridge: MessagePort): void {
    const container = this.#running;
    this.#previews ??= new Previews((port, signal) => container.connect(port, { signal }), new URL(page), id);
    this.#previews.open(port, bridge);
  }

  closePreview(port: number): void {
    this.#previews?.close(port);
  }

  /** Asks the container to end, and kills it if it does not end in time. */
  stop(): void {
    void this.#container?.stop();
  }

  kill(): void {
    this.#container?.kill(SIGKILL);
  }

  async figures(): Promise<Figures | undefined> {
    if (!this.#container) return undefined;
    const { instructions, seconds } = this.#container.stats();
    const usage = await this.#container.usage();
    return { instructions: instructions.reduce((sum, each) => sum + each, 0), seconds, usage };
  }

  get #running(): ContainerMachine {
    if (!this.#container) throw new MachineError('the container has ended');
    return this.#container;
  }

  #start(request: SessionRequest, client: SessionClient, events: Throttle): Promise<ContainerMachine> {
    const image = sessionImage(request, this.#abort.signal, events.send);
    image.then(
      () => events.send({ type: 'image-ready' }),
      () => {},
    );
    return startContainer({
      ...request,
      image,
      platform: platformOf(request.base, client),
      store: '',
      terminal: { ...FIRST_SIZE, type: TERMINAL_TYPE },
      network: request.hasNetwork ? networkOf(request) : undefined,
      onNetwork: (status) => events.send({ type: 'network', status }),
      onConsole: (bytes) => this.#keepLog(bytes),
      onBoot: () => events.send({ type: 'booted' }),
      signal: this.#abort.signal,
    });
  }

  /** Connects the container with the page until it ends. @returns its status */
  async #converse(container: ContainerMachine, client: SessionClient, events: Throttle): Promise<number> {
    this.#container = container;
    this.#terminal = new TerminalProcess(container, client, (bytes) =>
      events.send({ type: 'message', text: new TextDecoder().decode(bytes) }),
    );
    void container.started.then((runs) => runs && events.send({ type: 'started' }));
    void tellPorts(container.ports, (change) => events.send({ type: 'port', ...change }));
    // The size may have changed during the boot, and the user may have typed.
    if (this.#size) this.#terminal.resize(this.#size);
    for (const bytes of this.#typed.splice(0)) this.#terminal.write(bytes);
    try {
      return await this.#terminal.ended;
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
    const about = error instanceof ImageError ? { kind: error.kind, choices: error.choices } : {};
    return { name, ...about, message: messageOf(error), ...(name === 'MachineError' && { log: this.#log }) };
  }
}

function networkOf({ relay, base }: SessionRequest): NetworkOptions {
  if (relay === 'on') return { relay: { kind: 'own', base } };
  const reason = 'The relay is off in the options: write on, or the address of one (wss://…)';
  return { relay: relay === 'off' ? { kind: 'off', reason } : { kind: 'foreign', url: relay } };
}

/** Takes a machine's files from the page, which loads them once for all of its sessions. */
function platformOf(base: string, client: SessionClient): Platform {
  return {
    ...browserPlatform(base),
    loadEmulator: () => client.emulator(),
    loadFile: (path) => client.machineFile(path),
  };
}

/** Adds the carriage returns that a terminal needs. */
function forTerminal(lines: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(new TextDecoder().decode(lines).replaceAll('\n', '\r\n'));
}

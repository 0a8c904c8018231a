import { type ContainerMachine, type ExecOptions, startContainer } from '../container/container.ts';
import { background } from './background.ts';
import type { StartedProcess } from './child.ts';
import { host } from './host.ts';
import { machineOf } from './machine-settings.ts';
import { rest, wake } from './resting.ts';

/** How long the container stays after its last command, in ms. */
const REST = 5_000;
/** The guest runs 256 processes for its host, of which the container itself is one. */
const MOST_COMMANDS = 200;

/** The container of busybox that all commands without an image share. */
class SharedContainer {
  #container: Promise<ContainerMachine> | undefined;
  #holds = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  async run(options: ExecOptions, signal: AbortSignal | undefined): Promise<StartedProcess> {
    const release = this.#hold();
    try {
      signal?.throwIfAborted();
      const container = await this.#open();
      await this.#take();
      const end = () => {
        this.#give();
        release();
      };
      try {
        signal?.throwIfAborted();
        const process = container.exec(options);
        process.exit.then(end, end);
        return { process, hold: () => this.#hold() };
      } catch (error) {
        this.#give();
        throw error;
      }
    } catch (error) {
      release();
      throw error;
    }
  }

  #open(): Promise<ContainerMachine> {
    if (this.#container) return this.#container;
    const container = this.#start();
    this.#container = container;
    const forget = () => {
      if (this.#container === container) this.#container = undefined;
    };
    container.then(async (running) => {
      await running.exit.catch(() => {});
      forget();
      await running.destroy();
    }, forget);
    return container;
  }

  async #start(): Promise<ContainerMachine> {
    const { commandImage, storeFolder } = host();
    const machine = machineOf({});
    return startContainer({
      ...machine,
      platform: host().createPlatform(machine.cpus),
      image: host().loadImage(commandImage, {}),
      store: storeFolder,
      entrypoint: ['sleep', 'infinity'],
      init: true,
    });
  }

  /** Resolves when one more command may run. */
  async #take(): Promise<void> {
    if (this.#running === MOST_COMMANDS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }

  /** Keeps the container, and Node's process, until the function that it returns is called. */
  #hold(): () => void {
    clearTimeout(this.#timer);
    wake(this);
    this.#holds++;
    this.#refer(true);
    let isHeld = true;
    return () => {
      if (isHeld && --this.#holds === 0) this.#rest();
      isHeld = false;
    };
  }

  #rest(): void {
    this.#refer(false);
    this.#timer = background(() => void this.#end(), REST);
    rest(this, () => this.#end());
  }

  async #end(): Promise<void> {
    wake(this);
    clearTimeout(this.#timer);
    const container = await this.#container?.catch(() => undefined);
    // A command may have come meanwhile.
    if (this.#holds > 0) return;
    this.#container = undefined;
    await container?.destroy();
  }

  #refer(isReferenced: boolean): void {
    this.#container?.then((container) => container.setReferenced(isReferenced)).catch(() => {});
  }
}

const shared = new SharedContainer();

/** Runs a command in the shared container. @throws MachineError, or the signal's reason */
export function runShared(options: ExecOptions, signal?: AbortSignal): Promise<StartedProcess> {
  return shared.run(options, signal);
}

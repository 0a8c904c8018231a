/** The machines of commands. */
import { type ContainerMachine, startContainer } from '../container/container.ts';
import { host } from './host.ts';
import type { MachineSize } from './machine-settings.ts';

/** How long the shared container stays after its last command, in ms. */
const IDLE = 5_000;

export interface Lease {
  readonly container: ContainerMachine;
  /** Must be called when the command has ended. */
  end(): void;
}

/** The container that all commands without an image share. */
class SharedContainer {
  #container: Promise<ContainerMachine> | undefined;
  #users = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async lease(machine: MachineSize): Promise<Lease> {
    clearTimeout(this.#timer);
    this.#users++;
    this.#container ??= this.#start(machine);
    const container = await this.#container.catch((error) => {
      this.#leave();
      throw error;
    });
    return { container, end: () => this.#leave() };
  }

  async #start(machine: MachineSize): Promise<ContainerMachine> {
    const { commandImage } = host();
    const starting = startContainer({
      ...machine,
      platform: host().createPlatform(machine.cpus),
      image: host().loadImage(commandImage, {}),
      store: host().storeFolder,
      entrypoint: ['sleep', 'infinity'],
      init: true,
    });
    const forget = () => {
      this.#container = undefined;
    };
    starting.then(({ exit }) => exit.finally(forget).catch(() => {}), forget);
    return starting;
  }

  #leave(): void {
    if (--this.#users > 0) return;
    this.#timer = setTimeout(() => {
      void this.#container?.then((container) => container.destroy());
      this.#container = undefined;
    }, IDLE);
  }
}

const shared = new SharedContainer();

export function leaseShared(machine: MachineSize): Promise<Lease> {
  return shared.lease(machine);
}

import { type ContainerMachine, startContainer } from '../container/container.ts';
import type { ContainerProcess } from '../machine/machine.ts';
import { assignmentsOf, Builder } from './builder.ts';
import { type Child, type Output, ProcessChild } from './child.ts';
import { leaseShared } from './commands.ts';
import { host } from './host.ts';
import { machineOf } from './machine-settings.ts';
import { type StdioSettings, terminalOf } from './stdio.ts';

/**
 * A program with its arguments, as Rust's `std::process::Command`. Without an image it runs in a container of
 * busybox, which such commands share; with one, in a machine of its own. It can run several times.
 */
export class Command extends Builder {
  readonly #program: string;
  #image: string | undefined;

  constructor(program: string) {
    super();
    this.#program = program;
  }

  /** The image that has the program. */
  image(reference: string): this {
    this.#image = reference;
    return this;
  }

  /** Starts the program, by default with all streams piped. */
  spawn(): Child {
    return this.#start({ stdin: 'piped', stdout: 'piped', stderr: 'piped' });
  }

  /** Runs the program to its end, by default without input, and returns its output. */
  async output(): Promise<Output> {
    return this.#start({ stdin: 'null', stdout: 'piped', stderr: 'piped' }).waitWithOutput();
  }

  /** Runs the program to its end, by default with this process's streams, and returns its status. */
  async status(): Promise<number> {
    return this.#start({ stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' }).wait();
  }

  #start(defaults: StdioSettings): Child {
    const { signal } = this.settings;
    const stdio = this.stdioOr(defaults);
    const kill = (process: ContainerProcess) => process.kill(9);
    const process = this.#image === undefined ? this.#runShared() : this.#runAlone(this.#image);
    return new ProcessChild(process, { stdio, signal, killAll: kill });
  }

  async #runShared(): Promise<ContainerProcess> {
    const { args, env, currentDir, user, terminal } = this.settings;
    const options = {
      args: [this.#program, ...args],
      env: assignmentsOf(env),
      currentDir,
      user,
      terminal: terminal && terminalOf(terminal),
    };
    const { container, end } = await leaseShared(machineOf(this.settings));
    try {
      const process = container.exec(options);
      process.exit.finally(end).catch(() => {});
      return process;
    } catch (error) {
      end();
      throw error;
    }
  }

  async #runAlone(image: string): Promise<ContainerProcess> {
    const { args, env, currentDir, user, terminal, signal, pull, onProgress } = this.settings;
    const machine = machineOf(this.settings);
    const container: ContainerMachine = await startContainer({
      ...machine,
      platform: host().createPlatform(machine.cpus),
      image: host().loadImage(image, { policy: pull, onProgress, signal }),
      store: host().storeFolder,
      entrypoint: [this.#program],
      args: [...args],
      env: assignmentsOf(env),
      currentDir,
      user,
      terminal: terminal && terminalOf(terminal),
      signal,
    });
    container.finish().catch(() => {});
    return container;
  }
}

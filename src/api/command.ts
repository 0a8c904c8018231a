import { assignmentsOf, Builder } from './builder.ts';
import { type Child, type Output, ProcessChild, type StartedProcess } from './child.ts';
import { host } from './host.ts';
import { machineOf } from './machine-settings.ts';
import { runShared } from './shared-container.ts';
import { checkStdio, PIPED, type StdioSettings, terminalOf } from './stdio.ts';
import { runInMachine } from './warm-machines.ts';

/**
 * A program with its arguments, as Rust's `std::process::Command`. It can run several times. Without an image
 * it runs in a container of busybox, which such commands share. With one, or with options of a machine, it
 * has a machine and a container of its own.
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
    return this.#spawn(PIPED);
  }

  /** Runs the program to its end, by default without input, and returns its output. */
  async output(): Promise<Output> {
    return this.#spawn({ stdin: 'null', stdout: 'piped', stderr: 'piped' }).waitWithOutput();
  }

  /** Runs the program to its end, by default with this process's streams, and returns its status. */
  async status(): Promise<number> {
    return this.#spawn({ stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' }).wait();
  }

  #spawn(defaults: StdioSettings): Child {
    const { stdio, signal, terminal } = this.settings;
    return new ProcessChild(this.#start(), {
      stdio: { ...defaults, ...stdio },
      signal,
      hasTerminal: terminal !== undefined,
    });
  }

  async #start(): Promise<StartedProcess> {
    const { args, env, currentDir, user, terminal, signal, readOnly } = this.settings;
    const { pull, credentials, onProgress } = this.settings;
    checkStdio(this.settings.stdio);
    const program = {
      env: assignmentsOf(env),
      currentDir,
      user,
      terminal: terminal && terminalOf(terminal),
    };
    if (this.#image === undefined && this.#program === 'docker') {
      const { runDocker } = await import('./docker.ts');
      return runDocker({ words: [...args], env: Object.fromEntries(env), signal, terminal });
    }
    if (this.#image === undefined && !this.#wantsMachine)
      return runShared({ ...program, args: [this.#program, ...args] }, signal);
    return runInMachine({
      image: this.#image ?? host().commandImage,
      loading: { policy: pull, credentials, onProgress, signal },
      size: machineOf(this.settings),
      program: { ...program, entrypoint: [this.#program], args: [...args], readOnly },
    });
  }

  get #wantsMachine(): boolean {
    const { memory, cpus, disk, network, readOnly } = this.settings;
    return [memory, cpus, disk, network, readOnly].some((option) => option !== undefined);
  }
}

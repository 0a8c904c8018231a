import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { RelayOptions } from '../options.ts';
import type { Question } from './relay-process.ts';
import { RelayDoor } from './relay-server.ts';

/** A relay in a process of its own. */
export class ChildRelay extends RelayDoor {
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    super(port);
    this.#child = child;
  }

  static async start(options: RelayOptions): Promise<ChildRelay> {
    const execArgv = ['--import', 'tsx', '--expose-gc'];
    const child = fork(join(import.meta.dirname, 'relay-process.ts'), { execArgv });
    return new ChildRelay(await ask(child, { start: options }), child);
  }

  ask(question: Exclude<Question, object>): Promise<number> {
    return ask(this.#child, question);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

async function ask(child: ChildProcess, question: Question): Promise<number> {
  child.send(question);
  const [reply] = (await once(child, 'message')) as [number];
  return reply;
}

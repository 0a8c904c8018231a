/** Where our machine runs programs. */
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { INIT_STARTED } from '../src/machine/protocol.ts';
import { measureUntil, type StoredImage, type Stretch } from './containers.ts';
import { MEMORY_MIB } from './linux.ts';
import { startAlone } from './process.ts';
import type { Program } from './programs.ts';
import { readStoredCode, replaceStoredCode, type StoredCode } from './stored-code.ts';

const WITH_SETUP = join(import.meta.dirname, '../scripts/with-setup.mjs');
const INTERPRETED = ['--jit', 'off'];
/** What Linux prints when it has booted. */
export const BOOTED = new RegExp(`^${INIT_STARTED}`, 'm');

export interface Engine {
  readonly title: string;
  /** Boots Linux alone, if the engine can. */
  boot?(isInterpreted: boolean): Promise<Stretch>;
  /** Passes what runs programs of an image. */
  withRunner(image: StoredImage, use: (runner: Runner) => Promise<void>): Promise<void>;
}

export interface Runner {
  /** Measures a program in a machine whose store has this code, or without the JIT. */
  run(program: Program, code: StoredCode | 'interpreted'): Promise<Stretch>;
  /** Runs a program to its end without stored code, and returns the code that it leaves. */
  train(program: Program): Promise<StoredCode>;
}

/** The first run of an image. */
export const NONE: StoredCode = [];

/** Node, of the version at a path. */
export function nodeEngine(node: string, version: string): Engine {
  return {
    title: `Node ${version}`,
    boot: (isInterpreted) => {
      const jit = isInterpreted ? INTERPRETED : [];
      const args = [WITH_SETUP, 'boot', '--memory', `${MEMORY_MIB}M`, '--append', 'quiet', ...jit];
      return measureUntil({ command: node, args }, BOOTED);
    },
    withRunner: (image, use) => use(new NodeRunner(image, node)),
  };
}

class NodeRunner implements Runner {
  readonly #image: StoredImage;
  readonly #node: string;

  constructor(image: StoredImage, node: string) {
    this.#image = image;
    this.#node = node;
  }

  async run(program: Program, code: StoredCode | 'interpreted'): Promise<Stretch> {
    const isInterpreted = code === 'interpreted';
    if (!isInterpreted) await replaceStoredCode(this.#image.store.values, code);
    const options = isInterpreted ? INTERPRETED : [];
    const launch = this.#image.ours(program, { node: this.#node, options });
    return measureUntil(launch, program.to, program.from);
  }

  async train(program: Program): Promise<StoredCode> {
    const { values } = this.#image.store;
    await replaceStoredCode(values, NONE);
    const { command, args, env } = this.#image.ours(program, { node: this.#node });
    const child = startAlone(command, args, env);
    const [printed, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (status !== 0) throw new Error(`${program.name} ended with status ${status}: ${printed}`);
    return readStoredCode(values);
  }
}

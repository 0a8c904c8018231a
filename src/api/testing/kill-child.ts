/**
 * `tsx kill-child.ts FOLDER ROLE`: saves, suspends and resumes the container "a", or manages the container
 * "m", over and over, and tells each step, until it is killed. Both are in the store already.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { lines } from '../../container/testing/lines.ts';
import { collect } from '../../oci/bytes.ts';
import { chunks } from '../../streams/chunks.ts';
import { configure, containers, type RunningContainer } from '../node.ts';
import { KILLED_IMAGE, type Role } from './killed.ts';

const [folder = '', role] = process.argv.slice(2) as [string, Role];
configure({ store: folder });

/** Nothing of it is in a buffer when the process is killed. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** A container that runs the script of `killed.ts`. */
class Talker {
  readonly container: RunningContainer;
  readonly #lines: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(container: RunningContainer) {
    this.container = container;
    this.#lines = lines(container.stdout as ReadableStream<Uint8Array>);
    this.#input = (container.stdin as WritableStream<Uint8Array>).getWriter();
  }

  /** Sends a command, and passes its answer on. @returns the generation */
  async ask(command: string): Promise<number> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
    for await (const line of { [Symbol.asyncIterator]: () => ({ next: () => this.#lines.next() }) }) {
      if (!line.startsWith(command)) continue;
      say(line);
      return Number(line.split(' ')[1]);
    }
    throw new Error('the container has ended');
  }
}

async function start(): Promise<Talker> {
  say('starting');
  const talker = new Talker(await containers.start('a', { resume: role !== 'files' }));
  await talker.ask('check');
  return talker;
}

/** Lets the container write for a moment, so that it is saved at any moment of its work. */
const work = () => delay(Math.random() * 40);

async function saveForEver(): Promise<void> {
  for (let talker = await start(); ; ) {
    const generation = await talker.ask('mark');
    await work();
    say(`saving ${generation}`);
    if (role === 'suspend') await talker.container.suspend();
    else await talker.container.save({ isLeaving: role === 'leave' });
    say(`saved ${generation}`);
    if (role === 'suspend') talker = await start();
  }
}

async function manageForEver(): Promise<void> {
  const steps: [string, () => Promise<unknown>][] = [
    ['rename', () => containers.rename('m', 'n')],
    ['rename back', () => containers.rename('n', 'm')],
    ['duplicate', () => containers.duplicate('m', 'copy')],
    ['delete', () => containers.remove('copy')],
    ['commit', () => containers.commit('m', 'made')],
    ['import', importChanges],
    ['delete', () => containers.remove('imported')],
  ];
  for (;;)
    for (const [name, step] of steps) {
      say(`saving ${name}`);
      await step();
      say(`saved ${name}`);
    }
}

async function importChanges(): Promise<void> {
  const tar = await collect(chunks(await containers.export('m')), 1 << 24, 'the tar');
  await containers.import('imported', KILLED_IMAGE, new Blob([new Uint8Array(tar)]).stream());
}

await (role === 'manage' ? manageForEver() : saveForEver());

/** Kills at random moments of steps, and what is left of a container that was being saved. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashOf, recover } from '../../container/testing/check-disk.ts';
import type { ContainerRecord } from '../../storage/container-store.ts';
import { FIRST, type Role } from './killed.ts';

const ROLES: readonly Role[] = ['save', 'suspend', 'leave', 'save', 'suspend', 'files'];
/** How long a step is taken to last before one has been seen, in ms. */
const USUAL_TIME = 300;

/** A moment of a step of a child. */
interface Moment {
  /** The first word of the lines with which such steps begin. */
  readonly step: string;
  /** Which of them it is. */
  readonly count: number;
  /** Which part of its usual time has passed. */
  readonly share: number;
}

/** Kills children, and counts the steps in which that was. */
export class Killer {
  readonly counts = new Map<string, number>();
  readonly #times = new Map<string, number>();

  /** @returns what sees each line of a child, and what is called after its end */
  begin({ step, count, share }: Moment, kill: () => void): { see(line: string): void; end(): void } {
    let seen = 0;
    let last: { line: string; time: number } | undefined;
    return {
      see: (line) => {
        const time = performance.now();
        if (last?.line.startsWith(step)) this.#note(step, time - last.time);
        last = { line, time };
        if (line.startsWith(step) && ++seen === count)
          setTimeout(kill, share * (this.#times.get(step) ?? USUAL_TIME));
      },
      end: () => {
        const name = last?.line.replace(/ \d.*/, '') ?? 'before the first step';
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      },
    };
  }

  /** Tells a long run's progress. */
  tell(): void {
    if (process.env.LONG_TESTS || process.env.FUZZ_RUNS)
      console.log('Killed in:', Object.fromEntries(this.counts));
  }

  #note(step: string, time: number): void {
    this.#times.set(step, 0.7 * (this.#times.get(step) ?? time) + 0.3 * time);
  }
}

/** Moments that are spread over a step and a little more. */
export function shareOf(round: number): number {
  return ((round * 0.618) % 1) * 1.2;
}

export function roundOf(round: number): { readonly role: Role; readonly moment: Moment } {
  const share = shareOf(round);
  const moment =
    round % 4 === 3
      ? { step: 'starting', count: 1, share }
      : { step: 'saving', count: 1 + (round % 3), share };
  return { role: ROLES[round % ROLES.length] as Role, moment };
}

/** Writes the disk of the container, now or at a checkpoint, to a file. */
export type WriteDisk = (image: string, checkpoint: number | undefined) => Promise<void>;

/** A disk as a file that other tools read, after its journal was replayed without a fault. */
export async function withDisk<T>(
  write: WriteDisk,
  checkpoint: number | undefined,
  use: (image: string, work: string) => T,
): Promise<T> {
  const work = mkdtempSync(join(tmpdir(), 'linuxrun-killed-'));
  try {
    const image = join(work, 'image');
    await write(image, checkpoint);
    recover(image);
    return use(image, work);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** What the container "a" may be, by the steps that its children have told. */
export class Expected {
  /** The generations that its saved session may have, or undefined if it may have no session. */
  saved: readonly (number | undefined)[] = [undefined];
  /** The last generation that is on the disk for certain. */
  #certain = FIRST;
  readonly #hashes = new Map<number, string>();

  note(role: Role, line: string): void {
    const [step, word, rest] = line.split(' ');
    const generation = Number(word);
    const isResumed = role !== 'files' && !this.saved.includes(undefined);
    if (step === 'check') {
      // The files are those of its memory.
      assert.equal(line, `check ${generation}`);
      if (isResumed) assert(this.saved.includes(generation), `${line}, not ${this.saved}`);
      else assert(generation >= this.#certain, `${line}, not ${this.#certain}`);
      this.saved = [isResumed ? generation : undefined];
      this.#certain = generation;
    } else if (step === 'mark') {
      this.#hashes.set(generation, rest as string);
      if (!isResumed) this.#certain = generation;
    } else if (step === 'saving') this.saved = [...this.saved, generation];
    else if (step === 'saved') {
      this.saved = [generation];
      this.#certain = generation;
    }
  }

  /** Compares what is left after a child was killed. */
  async check(role: Role, record: ContainerRecord | undefined, write: WriteDisk): Promise<void> {
    assert(record, 'the container is lost');
    await withDisk(write, undefined, (image, work) => this.#checkFiles(image, work, this.#certain));
    // A start on the files drops the session.
    if (role === 'files') this.saved = [...this.saved, undefined];
    this.saved = this.saved.filter((each) => (each !== undefined) === (record.session !== undefined));
    assert(this.saved.length > 0, record.session ? 'it has a session' : 'its session is lost');
    if (!record.session) return;
    await withDisk(write, record.session.checkpoint, (image, work) => {
      hashOf(image, '/d/k', work);
      const generation = Number(readFileSync(join(work, 'copy'), 'utf8'));
      assert(this.saved.includes(generation), `the session's disk is of ${generation}, not ${this.saved}`);
      this.#checkFiles(image, work, generation);
    });
  }

  /** The files of the last generations are whole. */
  #checkFiles(image: string, work: string, generation: number): void {
    for (let each = Math.max(FIRST + 1, generation - 2); each <= generation; each++)
      assert.equal(`${each} ${hashOf(image, `/d/s${each}`, work)}`, `${each} ${this.#hashes.get(each)}`);
  }
}

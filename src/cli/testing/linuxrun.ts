/** Runs the bundled program `linuxrun` in tests, with folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleCommands, WORKERS } from '../../../scripts/setup/bundle.mjs';
import { inProject } from '../../../scripts/setup/places.mjs';
import { splitWords } from '../../options/words.mjs';

const IMAGES = `oci://${inProject('public/images')}`;
/** The images that come with the project, by the names in the lines of tests. */
const NAMES: Readonly<Record<string, string>> = {
  busybox: `${IMAGES}:busybox`,
  'hello-world': `${IMAGES}:hello-world`,
};

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Sent when the program has written something. */
  readonly signal?: NodeJS.Signals | undefined;
}

export class Linuxrun {
  /** A folder for files of the test. */
  readonly folder = mkdtempSync(join(tmpdir(), 'linuxrun-test-'));
  readonly #bundles: string;

  private constructor(bundles: string) {
    this.#bundles = bundles;
    for (const name of ['cache', 'runtime']) mkdirSync(join(this.folder, name), { mode: 0o700 });
  }

  static async bundle(): Promise<Linuxrun> {
    mkdirSync(inProject('dist'), { recursive: true });
    const bundles = mkdtempSync(inProject('dist/linuxrun-'));
    await bundleCommands({ linuxrun: 'src/cli/linuxrun.ts', ...WORKERS }, bundles);
    return new Linuxrun(bundles);
  }

  /** @param line quoted as in a shell; `FOLDER` is the test's */
  start(line: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
    const words = splitWords(line.replaceAll('FOLDER', this.folder)).map((word) => NAMES[word] ?? word);
    return spawn(process.execPath, ['--', join(this.#bundles, 'linuxrun.cjs'), ...words], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        XDG_CACHE_HOME: join(this.folder, 'cache'),
        XDG_RUNTIME_DIR: join(this.folder, 'runtime'),
        ...env,
      },
    });
  }

  async run(line: string, { input = '', env, signal }: Given = {}): Promise<Outcome> {
    const child = this.start(line, env);
    child.stdin?.on('error', () => {}).end(input);
    if (signal) child.stdout?.once('data', () => child.kill(signal));
    return outcomeOf(child);
  }

  remove(): void {
    for (const folder of [this.folder, this.#bundles]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for the end of a program, and reads all of its output. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const output = (stream: NodeJS.ReadableStream | null) => text(stream as NodeJS.ReadableStream);
  const [stdout, stderr, [status]] = await Promise.all([
    output(child.stdout),
    output(child.stderr),
    once(child, 'exit'),
  ]);
  return { status, stdout, stderr };
}

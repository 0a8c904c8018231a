/** Runs the examples of the documentation with the npm package, as their readers do. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { npmPackage } from '../package.mjs';
import { inProject } from '../places.mjs';
import { ensure } from '../step.mjs';
import { types } from '../types.mjs';
import { SECTIONS } from './navigation.mjs';

const execute = promisify(execFile);
const SOURCES = ['README.md', ...SECTIONS.flatMap(({ sources }) => sources)];
/** A block whose fence says `node`, and the block with its output. */
const EXAMPLE = /^```js node\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm;
const CI = 'examples/ci';

/** Imports each file that it is given, in one process, and tells each one's output. */
const RUNNER = `
import { format } from 'node:util';
const results = [];
for (const file of process.argv.slice(2)) {
  const lines = [];
  console.log = (...values) => lines.push(format(...values));
  await import(file);
  results.push(lines.join('\\n'));
}
process.stdout.write(JSON.stringify(results));
process.exit();
`;

let folder: string;
beforeAll(async () => {
  for (const step of [types, npmPackage]) await ensure(step);
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-examples-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(inProject('dist/package'), join(folder, 'node_modules/linuxrun'));
  await mkdir(join(folder, 'examples'));
  await cp(inProject(CI), join(folder, CI), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

/** @returns standard output */
async function run(program: string, args: readonly string[]): Promise<string> {
  const env = {
    ...process.env,
    XDG_CACHE_HOME: join(folder, 'cache'),
    // Nobody listens there, so that every machine gets the same images: those of the package.
    LINUXRUN_REGISTRY_MIRROR: 'http://127.0.0.1:1',
  };
  const { stdout } = await execute(program, args, { cwd: folder, env, timeout: 50_000 });
  return stdout;
}

it('every example for Node prints what the page says', async () => {
  const texts = await Promise.all(SOURCES.map((source) => readFile(inProject(source), 'utf8')));
  const examples = texts.flatMap((text, index) =>
    [...text.matchAll(EXAMPLE)].map(([, code = '', output = '']) => ({
      source: SOURCES[index],
      code,
      output,
    })),
  );
  const marked = texts.join('\n').match(/^```js node$/gm) ?? [];
  expect(marked.length, 'examples with their output').toBe(examples.length);
  expect(examples.length).toBeGreaterThan(4);
  const names = examples.map((_, index) => `./example-${index}.mjs`);
  await Promise.all(examples.map(({ code }, index) => writeFile(join(folder, names[index] ?? ''), code)));
  await writeFile(join(folder, 'runner.mjs'), RUNNER);
  const outputs: string[] = JSON.parse(await run('node', ['runner.mjs', ...names]));
  expect(examples.map(({ source }, index) => ({ source, output: `${outputs[index]}\n` }))).toEqual(
    examples.map(({ source, output }) => ({ source, output })),
  );
});

describe('the pipeline', () => {
  interface Pipeline {
    jobs: { test: { strategy: { matrix: { image: string[] } }; steps: { name?: string; run?: string }[] } };
  }
  const read = async () => parse(await readFile(inProject(join(CI, 'pipeline.yml')), 'utf8')) as Pipeline;

  it('runs the steps that are commands', async () => {
    const { strategy, steps } = (await read()).jobs.test;
    const commands = steps.flatMap(({ run }) =>
      run === undefined || run.startsWith('npm install') ? [] : [run],
    );
    const outputs: string[] = [];
    for (const image of strategy.matrix.image)
      for (const command of commands)
        outputs.push(
          await run('bash', ['-e', '-c', command.replaceAll(/\$\{\{ matrix\.image \}\}/g, image)]),
        );
    expect(outputs).toHaveLength(2);
    expect(outputs[0]).toMatch(/^Linux .* riscv64/);
    expect(outputs[1]).toBe('passed on riscv64\n');
  });

  it('fails when the test in the container does', async () => {
    const failing = run('node', [
      `${CI}/test-in-linux.mjs`,
      'busybox',
      `${CI}/project`,
      'sh',
      '-c',
      'exit 4',
    ]);
    await expect(failing).rejects.toMatchObject({ code: 4 });
  });

  it('is on its page as it is', async () => {
    const page = await readFile(inProject('docs/recipes/ci.md'), 'utf8');
    for (const file of ['pipeline.yml', 'test-in-linux.mjs'])
      expect(page).toContain(await readFile(inProject(join(CI, file)), 'utf8'));
  });
});

/** Uses the npm package as its users do: from the file that `npm pack` makes, in an empty folder. */
import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consumerTools, NODE_VERSIONS, nodeProgram, OLD_COMPILER } from './setup/consumer-tools.mjs';
import { npmPackage } from './setup/package.mjs';
import { inProject } from './setup/places.mjs';
import { ensure } from './setup/step.mjs';
import { types } from './setup/types.mjs';

const execute = promisify(execFile);
const PROGRAM = `import { Command, Container } from 'linuxrun';
const output = await new Command('ls').arg('-la').output();
console.log(output.text());
const container = await new Container('busybox').entrypoint('sh').args(['-c', 'echo "$GREETING"; exit 3']).env('GREETING', 'Hello').run();
const result = await container.waitWithOutput();
console.log(result.status, new TextDecoder().decode(result.stdout));
`;
const OLD_PROGRAM = `const { Command } = require('linuxrun');
new Command('echo').arg('required').output().then((output) => console.log(output.text()));
`;
/** What a program in TypeScript uses. */
const TYPED = `import { type Child, Command, Container, configure, type RunningContainer } from 'linuxrun';

configure({ registryMirror: 'https://mirror.example.com' });
const output = await new Command('ls').arg('-la').output();
export const [text, status]: [string, number] = [output.text(), output.status];
export const child: Child = new Command('sort').image('debian').env('LC_ALL', 'C').currentDir('/tmp').spawn();
const container: RunningContainer = await new Container('busybox').entrypoint('sh').args(['-c', 'ls']).run();
export const bytes: Uint8Array = await container.fs.readFile('/etc/passwd');
export const response: Response = await container.proxyRequest(new Request('http://localhost:8000/'));
// @ts-expect-error a program is a string
new Command(1);
`;
/** A user that may write only into the project's cache. */
const NOBODY = 65534;

let folder: string;
let project: string;
beforeAll(async () => {
  for (const step of [types, npmPackage, consumerTools]) await ensure(step);
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-package-'));
  await chmod(folder, 0o755);
  project = join(folder, 'a project');
  await mkdir(join(project, 'cache'), { recursive: true });
  await npm(folder, 'pack', inProject('dist/package'));
  const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  await npm(project, 'init', '--yes');
  await npm(project, 'install', '--offline', '--no-audit', '--no-fund', join(folder, archive));
  await writeFile(join(project, 'program.mjs'), PROGRAM);
  await writeFile(join(project, 'program.cjs'), OLD_PROGRAM);
  if (process.getuid?.() === 0) await chown(join(project, 'cache'), NOBODY, NOBODY);
  await execute('chmod', ['-R', 'a-w', join(project, 'node_modules')]);
});
afterAll(async () => {
  await execute('chmod', ['-R', 'u+w', folder]);
  await rm(folder, { recursive: true });
});

function npm(cwd: string, ...args: string[]) {
  return execute('npm', args, { cwd });
}

/**
 * Runs a program as a user who may not write into the package, and reaches no registry. Only npx, which needs
 * a shell, finds other programs.
 */
async function run(program: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: program === 'npx' ? process.env.PATH : '',
    HOME: join(project, 'cache'),
    XDG_CACHE_HOME: join(project, 'cache'),
    LINUXRUN_REGISTRY_MIRROR: 'http://127.0.0.1:1',
  };
  const nobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const { stdout } = await execute(program, args, { cwd: project, env, ...nobody });
  return stdout;
}

test('has no dependencies and no install scripts, and its licences', async () => {
  const installed = join(project, 'node_modules');
  expect((await readdir(installed)).filter((name) => !name.startsWith('.'))).toEqual(['linuxrun']);
  const { default: description } = await import(join(installed, 'linuxrun/package.json'), {
    with: { type: 'json' },
  });
  for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies', 'scripts', 'private'])
    expect(description).not.toHaveProperty(field);
  for (const name of ['LICENSE', 'LICENCES.txt', 'README.md'])
    expect((await stat(join(installed, 'linuxrun', name))).size, name).toBeGreaterThan(1000);
});

describe.each(NODE_VERSIONS)('Node %s', (version) => {
  const node = inProject(nodeProgram(version));

  test('runs commands and containers', async () => {
    const output = await run(node, 'program.mjs');
    expect(output).toMatch(/^drwxr-xr-x .* etc$/m);
    expect(output).toMatch(/^3 Hello$/m);
  });
});

describe('the command', () => {
  test('runs the images that come with the package', async () => {
    expect(await run('npx', '--no', 'linuxrun', 'run', 'busybox', 'echo', 'hi')).toBe('hi\n');
    expect(await run('npx', '--no', 'linuxrun', 'run', '--rm', 'hello-world')).toMatch(
      /^Hello from LinuxRun!$/m,
    );
  });

  test('says which mirror has failed, and why', async () => {
    const failure = await run('npx', '--no', 'linuxrun', 'run', 'alpine').catch((error) => error);
    expect(failure.code).toBe(125);
    expect(failure.stderr).toMatch(/Docker Hub's mirror http:\/\/127\.0\.0\.1:1: .*refused \(ECONNREFUSED\)/);
  });
});

test('CommonJS may require the package', async () => {
  expect(await run(inProject(nodeProgram(NODE_VERSIONS[0] ?? '')), 'program.cjs')).toBe('required\n\n');
});

describe('the types', () => {
  const NEW_COMPILER = 'node_modules/typescript/bin/tsc';

  beforeAll(async () => {
    await mkdir(join(folder, 'types/node_modules'), { recursive: true });
    for (const name of ['@types/node', 'undici-types'])
      await cp(inProject(`node_modules/${name}`), join(folder, 'types/node_modules', name), {
        recursive: true,
      });
    await cp(join(project, 'node_modules/linuxrun'), join(folder, 'types/node_modules/linuxrun'), {
      recursive: true,
    });
    await writeFile(join(folder, 'types/program.mts'), TYPED);
  });

  const BROWSER = { lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [] };
  const NODE = { lib: ['ES2022'], types: ['node'] };
  const PROJECTS: [resolution: string, libraries: object, compiler: string][] = [
    ['nodenext', NODE, NEW_COMPILER],
    ['nodenext', BROWSER, OLD_COMPILER],
    ['bundler', BROWSER, NEW_COMPILER],
  ];
  // The old compiler takes longest with the types of Node.
  if (process.env.LONG_TESTS) PROJECTS.push(['bundler', NODE, OLD_COMPILER]);
  test.each(PROJECTS)('are strict: %s, %j, %s', async (moduleResolution, libraries, compiler) => {
    const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution;
    const compilerOptions = { strict: true, skipLibCheck: false, noEmit: true, target: 'es2022' };
    const config = join(folder, 'types/tsconfig.json');
    const options = { ...compilerOptions, ...libraries, module, moduleResolution };
    await writeFile(config, JSON.stringify({ compilerOptions: options, files: ['program.mts'] }));
    const { stdout } = await execute('node', [inProject(compiler), '-p', config]).catch((error) => error);
    expect(stdout).toBe('');
  });
});

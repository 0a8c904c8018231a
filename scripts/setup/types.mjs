/**
 * Makes the types of the npm package: one file of declarations, the report of the public surface, and the
 * model of which the reference is written.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { inProject, PROJECT } from './places.mjs';
import { run } from './run.mjs';

/** Both entries export the same names, with the same types (`src/api/entries.test.ts`). */
const ENTRY = 'src/api/node';
/** The types of AssemblyScript and of imported styles, which files that the entries import use. */
const GLOBALS = ['emulator-wasm/jit/assembly.d.ts', 'src/app/vite.d.ts'];
/** The declarations of the other entries, and of the files whose types they name, by their names there. */
const OTHERS = {
  element: 'src/element/element',
  options: 'src/element/options',
  react: 'src/element/react',
  vite: 'src/vite/plugin',
};

export const TYPES = 'dist/types';
/** The declarations of the interface. */
export const DECLARATIONS = 'dist/types/linuxrun.d.ts';
/** Those of the other entries. */
export const OTHER_DECLARATIONS = Object.keys(OTHERS).map((name) => `${name}.d.ts`);
/** The model in JSON. */
export const API_MODEL = 'dist/types/linuxrun.api.json';
/** The report that belongs to the sources as they are, and the one that was agreed on. */
export const API_REPORT = 'dist/types/linuxrun.api.md';
export const AGREED_REPORT = 'src/api/linuxrun.api.md';

/** @param {string} folder for the declarations of the entries and of all files that they import */
async function emitDeclarations(folder) {
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true },
    ...{ incremental: false, tsBuildInfoFile: null },
    ...{ rootDir: PROJECT, outDir: folder, typeRoots: [inProject('node_modules/@types')] },
  };
  const entries = [ENTRY, ...Object.values(OTHERS)].map((entry) => `${entry}.ts`);
  const files = [...entries, ...GLOBALS].map(inProject);
  await writeFile(
    config,
    JSON.stringify({ extends: inProject('tsconfig.json'), compilerOptions, files, include: [] }),
  );
  await run('node', [inProject('node_modules/typescript/bin/tsc'), '-p', config]);
}

/** @param {string} from with the declarations @param {string} to */
async function rollUp(from, to) {
  const { Extractor, ExtractorConfig, ExtractorLogLevel } = await import('@microsoft/api-extractor');
  const { name, version } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
  const packageJsonFullPath = join(from, 'package.json');
  await writeFile(packageJsonFullPath, JSON.stringify({ name, version }));
  const entry = join(from, `${ENTRY}.d.ts`);
  const configObject = {
    projectFolder: from,
    mainEntryPointFilePath: entry,
    newlineKind: /** @type {const} */ ('lf'),
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          ...{ target: 'ES2022', module: 'ESNext', moduleResolution: 'Bundler', strict: true, noEmit: true },
          ...{ lib: ['ES2024', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'], types: [] },
          allowImportingTsExtensions: true,
        },
        files: [entry],
      },
    },
    apiReport: { enabled: true, reportFileName: 'linuxrun.api.md', reportFolder: to, reportTempFolder: from },
    docModel: { enabled: true, apiJsonFilePath: join(to, 'linuxrun.api.json') },
    dtsRollup: { enabled: true, untrimmedFilePath: join(to, 'linuxrun.d.ts') },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      extractorMessageReporting: {
        // Everything that is exported is public.
        'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
        default: { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
      },
      tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
    },
  };
  /** @type {string[]} */
  const errors = [];
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath,
  });
  Extractor.invoke(config, {
    // Writes the report, whatever it says.
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel === 'error') errors.push(message.text);
    },
  });
  if (errors.length > 0) throw new SetupFailure(errors.join('\n'));
}

/**
 * They name types of the interface, whose declarations the package has in `index.d.ts`.
 * @param {string} from with the declarations @param {string} to
 */
async function copyOthers(from, to) {
  for (const [name, source] of Object.entries(OTHERS)) {
    const text = await readFile(join(from, `${source}.d.ts`), 'utf8');
    const inPackage = text
      .replaceAll("'../api/browser.ts'", "'./index.js'")
      .replaceAll(/'(\.\/[\w-]+)\.ts'/g, "'$1.js'");
    await writeFile(join(to, `${name}.d.ts`), inPackage);
  }
}

/** @type {import('./step.mjs').Step} */
export const types = {
  name: 'types',
  title: 'types of the programming interface',
  sources: [
    'src',
    'emulator-wasm/layout.ts',
    'emulator-wasm/jit',
    'emulator-wasm/assembly/riscv/opcodes.ts',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'scripts/setup/types.mjs',
  ],
  outputs: { types: 'dist/types' },
  async run(work) {
    const declarations = join(work, 'declarations');
    const target = join(work, 'types');
    for (const folder of [declarations, target]) await mkdir(folder, { recursive: true });
    await emitDeclarations(declarations);
    await rollUp(declarations, target);
    await copyOthers(declarations, target);
    await rm(declarations, { recursive: true });
  },
};

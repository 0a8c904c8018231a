/** An app of other people: what `npm create vite` makes of its template react-ts, with our package in it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inProject } from '../../scripts/setup/places.mjs';

const execute = promisify(execFile);

const INDEX = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1.0" />
    <link rel="icon" href="data:," />
    <title>app</title>
  </head>
  <body>
    <div id="root"></div>
    <script type="module" src="/src/main.tsx"></script>
  </body>
</html>
`;

const APP = './App.tsx';

const MAIN = `import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import App from '${APP}'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
`;

const CONFIG = `import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import linuxrun from 'linuxrun/vite'

// https://vite.dev/config/
export default defineConfig({
  plugins: [react(), linuxrun()],
})
`;

/** The template's, but strict, and without `skipLibCheck`. */
const TYPES = {
  compilerOptions: {
    target: 'es2023',
    lib: ['ES2023', 'DOM'],
    module: 'esnext',
    types: ['vite/client'],
    strict: true,
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    moduleDetection: 'force',
    noEmit: true,
    jsx: 'react-jsx',
    noUnusedLocals: true,
    noUnusedParameters: true,
    erasableSyntaxOnly: true,
    noFallthroughCasesInSwitch: true,
  },
  include: ['src', 'vite.config.ts'],
};

/** The packages of the template, which are in our own `node_modules`. */
const PACKAGES = ['@types', '@vitejs/plugin-react', 'react', 'react-dom', 'typescript', 'vite'];

/** Installs `dist/package` from its archive, as its users do. @param app the source of App.tsx */
export async function makeConsumerApp(app: string): Promise<{ folder: string; remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'linuxrun-app-'));
  const folder = join(root, 'app');
  const installed = join(root, 'installed');
  for (const each of [join(folder, 'src'), installed]) await mkdir(each, { recursive: true });
  await npm(['pack', '--pack-destination', root, inProject('dist/package')], root);
  const archive = (await readdir(root)).find((name) => name.endsWith('.tgz')) ?? '';
  await npm(['install', '--offline', '--no-audit', '--no-fund', join(root, archive)], installed);
  await rename(join(installed, 'node_modules'), join(folder, 'node_modules'));
  for (const name of PACKAGES) {
    const place = join(folder, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(inProject(`node_modules/${name}`), place);
  }
  const files = {
    'package.json': JSON.stringify({ name: 'app', private: true, type: 'module' }),
    'index.html': INDEX,
    'tsconfig.json': JSON.stringify(TYPES),
    'vite.config.ts': CONFIG,
    'src/main.tsx': MAIN,
    'src/App.tsx': app,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return { folder, remove: () => rm(root, { recursive: true, force: true }) };
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  await execute('npm', args, { cwd });
}

/** Checks the types of the app. @returns the errors */
export async function typeErrors(folder: string): Promise<string> {
  const tsc = inProject('node_modules/typescript/bin/tsc');
  const result = await execute(process.execPath, [tsc, '-p', folder]).catch((error) => error);
  return result.stdout;
}

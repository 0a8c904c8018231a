import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dirname, normalize } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { bundle, COMMANDS, TOOLS, WORKERS } from './setup/bundle.mjs';
import { previews, SCRIPTS } from './setup/previews.mjs';
import { DOCS_THEME, site, WORKER } from './setup/site.mjs';

/** The imports of each file, as paths from the root of the project. */
type Graph = ReadonlyMap<string, readonly string[]>;

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'emulator-wasm', 'kernel', 'scripts', 'e2e', 'bench'];
const CODE = /\.(ts|tsx|mjs)$/;
/** Tests of a folder may import anything. */
const TEST = /\.test\.ts$|\/test\/|\/testing\//;
/** Biome puts every import at the beginning of a line. */
const IMPORT = /^(?:import|export)\b[^;'"]*?from '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;
/** Sources of AssemblyScript leave the extension out. */
const ENDINGS = ['', '.ts', '/index.ts'];

/** The file that an import means. Tests also contain imports in the text of programs that they write. */
function resolve(from: string, specifier: string): string | undefined {
  const path = normalize(join(dirname(from), specifier.replace(/\?.*$/, '')));
  const ending = ENDINGS.find((each) => existsSync(join(ROOT, path + each)));
  if (ending === undefined && TEST.test(from)) return undefined;
  if (ending === undefined) throw new Error(`${from} imports ${specifier}, which does not exist`);
  return path + ending;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const targets = [...text.matchAll(IMPORT)].map(([, a, b, c]) => resolve(file, a ?? b ?? c ?? ''));
  return targets.filter((target) => target !== undefined);
}

function readGraph(): Graph {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', ...FOLDERS];
  const listed = execFileSync('git', options, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const files = listed.filter((file) => CODE.test(file) && existsSync(join(ROOT, file)));
  return new Map(files.map((file) => [file, importsOf(file)]));
}

/** The first circle of imports, if there is one. */
function findCircle(graph: Graph): string | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' → ');
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return undefined;
}

/** The top folder of a file. In src and emulator-wasm, the folder or file directly below. */
function folderOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'src' || top === 'emulator-wasm' ? `${top}/${second}` : top;
}

/** `from → to` for each pair of folders of which one imports the other, with an example. */
function arrowsOf(graph: Graph): Map<string, string> {
  const arrows = new Map<string, string>();
  for (const [file, imports] of graph) {
    if (TEST.test(file)) continue;
    for (const target of imports) {
      const [from, to] = [folderOf(file), folderOf(target)];
      if (from !== to) arrows.set(`${from} → ${to}`, `${file} imports ${target}`);
    }
  }
  return arrows;
}

/** The arrows of the table of folders, from its first column to its last. */
function documentedArrows(markdown: string): Set<string> {
  const rows = markdown.matchAll(/^\| `([^`|]+)` \|[^|]*\|([^|]*)\|$/gm);
  const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  return new Set([...rows].flatMap(([, from, uses]) => names(uses ?? '').map((to) => `${from} → ${to}`)));
}

const graph = readGraph();

test('files do not import each other in a circle', () => {
  expect(findCircle(graph)).toBeUndefined();
});

test('folders import what docs/architecture.md says', () => {
  const architecture = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const folders = architecture.split('## Folders\n')[1]?.split('\n## ')[0] ?? '';
  const documented = documentedArrows(folders);
  const arrows = arrowsOf(graph);
  const unknown = [...arrows].filter(([arrow]) => !documented.has(arrow)).map((arrow) => arrow.join(': '));
  expect(unknown, 'imports that the table in docs/architecture.md lacks').toEqual([]);
  expect(
    [...documented].filter((arrow) => !arrows.has(arrow)),
    'imports that only the table in docs/architecture.md has',
  ).toEqual([]);
});

test('pages and programs for the terminal import nothing deeper than the programming interface', () => {
  const users = /^src\/(app|cli|element|docs|terminal) → /;
  const deep = /src\/(container|disk|http|machine|network|oci|storage)$/;
  const arrows = [...arrowsOf(graph)].filter(([arrow]) => users.test(arrow));
  expect(arrows.length).toBeGreaterThan(5);
  expect(arrows.filter(([arrow]) => deep.test(arrow))).toEqual([]);
});

test('folders do not import each other in a circle', () => {
  const folders = new Map<string, string[]>();
  for (const arrow of arrowsOf(graph).keys()) {
    const [from = '', to = ''] = arrow.split(' → ');
    folders.set(from, [...(folders.get(from) ?? []), to]);
  }
  expect(findCircle(folders)).toBeUndefined();
});

test('of the core, only its index and its RISC-V half know RISC-V', () => {
  const neutral = [...graph].filter(([file]) => /^emulator-wasm\/assembly\/(?!riscv\/|index\.ts)/.test(file));
  expect(neutral.length).toBeGreaterThan(10);
  const known = neutral.flatMap(([file, imports]) =>
    imports.filter((target) => target.includes('/riscv/')).map((target) => `${file} imports ${target}`),
  );
  expect(known).toEqual([]);
});

/** All files that these are made from. */
function neededBy(entries: readonly string[]): Set<string> {
  const needed = new Set(entries);
  for (const file of needed) for (const target of graph.get(file) ?? []) needed.add(target);
  return needed;
}

test.each([
  [previews, SCRIPTS],
  [site, [WORKER, DOCS_THEME]],
  [bundle, Object.values({ ...COMMANDS, ...TOOLS, ...WORKERS })],
])('$name is made again when a file that it is made from has changed', ({ sources = [] }, entries) => {
  const isKnown = (file: string) =>
    sources.some((source) => file === source || file.startsWith(`${source}/`));
  expect([...neededBy(entries)].filter((file) => !isKnown(file))).toEqual([]);
});

test('no program needs a test or its helpers', () => {
  const programs = [...graph].filter(
    ([file]) => /^(src|emulator-wasm|scripts|kernel)\//.test(file) && !TEST.test(file),
  );
  const needed = programs.flatMap(([file, imports]) =>
    imports.filter((target) => TEST.test(target)).map((target) => `${file} imports ${target}`),
  );
  expect(needed).toEqual([]);
});

describe('the checks themselves', () => {
  test('read the imports of all forms', () => {
    const files = [...graph.keys()];
    expect(files.length).toBeGreaterThan(400);
    expect(graph.get('src/machine/machine.ts')).toContain('src/machine/memory.ts');
    // Of a type, without an extension, of a module of the set-up, when it is needed.
    expect(graph.get('src/machine/trace.ts')).toContain('src/machine/core.ts');
    expect(graph.get('emulator-wasm/assembly/index.ts')).toContain('emulator-wasm/assembly/riscv/blocks.ts');
    expect(graph.get('scripts/commands/setup.mjs')).toContain('scripts/setup/purposes.mjs');
  });

  test('find a circle of any length', () => {
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toBeUndefined();
    expect(findCircle(new Map([['a', ['a']]]))).toBe('a → a');
    expect(
      findCircle(
        new Map([
          ['x', ['a']],
          ['a', ['d', 'b']],
          ['b', ['c']],
          ['c', ['a']],
          ['d', []],
        ]),
      ),
    ).toBe('a → b → c → a');
  });

  test('read the arrows of a table', () => {
    const table =
      '| folder | holds | uses |\n|---|---|---|\n| `a` | what `x` is | `b`, `c` |\n| `b` | nothing | |\n';
    expect([...documentedArrows(table)]).toEqual(['a → b', 'a → c']);
  });

  test('leave out the arrows of tests', () => {
    const some = new Map([
      ['src/a/x.ts', ['src/b/y.ts', 'src/a/z.ts']],
      ['src/b/y.test.ts', ['src/a/x.ts']],
    ]);
    expect([...arrowsOf(some)]).toEqual([['src/a → src/b', 'src/a/x.ts imports src/b/y.ts']]);
  });
});

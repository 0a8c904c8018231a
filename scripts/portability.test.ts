import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const ROOT = join(import.meta.dirname, '..');
const CODE = /\.(ts|tsx|mjs)$/;
const TEST = /\.test\.ts$|\/test\/|\/testing\/|\.d\.ts$/;

/** Text that only one system understands. */
const SYSTEM_PATH = /(?:^|[\s'"=:])\/(?:bin|dev|etc|proc|run|sbin|sys|tmp|usr|var)(?:\/|$)/;
/** Programs that not every system has, and `readlink -f`, which has another meaning elsewhere. */
const SYSTEM_PROGRAM =
  /^(?:(?:ba|da|z)?sh|stty|tty|readlink|uname|which|whoami|id|ps|kill|killall|pkill|ip|ifconfig|lsof|script|mktemp|mkfifo|mount|df|du|free|cat|cp|mv|rm|ln|ls)(?: |$)/;
/** The functions of node:child_process. */
const STARTERS = ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync'];
/** Their numbers differ between systems, and those of a container are Linux's. */
const SYSTEM_NUMBERS = 'constants.signals';

/** Code that uses nothing of Node's reaches no file and no program of the system. */
const USES_NODE = /\bfrom 'node:|\bimport\('node:/;
/** Files that use Node's modules, and whose paths are in the guest all the same. */
const OF_THE_GUEST = ['src/cli/run-options.mjs', 'src/tools/boot.ts'];
/** Files that are used in branches for Linux only. */
const OF_LINUX = ['src/folders/linux-places.ts'];
const EXCEPTIONS = [...OF_THE_GUEST, ...OF_LINUX];

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

const childrenOf = (node: Node): Node[] => Object.values(node).flat().filter(isNode);

/** What a condition says about Linux: true, false, or nothing. */
function saysLinux(condition: Node, source: string): boolean | undefined {
  const { start, end } = condition as Node & { end: number };
  const [, operator] = /^process\.platform ([!=]==) 'linux'/.exec(source.slice(start, end)) ?? [];
  return operator === undefined ? undefined : operator === '===';
}

/** Whether a statement leaves its function on every system but Linux. */
function leavesElsewhere(node: Node, source: string): boolean {
  const leaves = isNode(node.consequent) && /^(Return|Throw)Statement$/.test(node.consequent.type);
  return node.type === 'IfStatement' && leaves && saysLinux(node.test as Node, source) === false;
}

/** The children of a node that run on systems besides Linux. */
function portableChildren(node: Node, source: string): Node[] {
  if (node.type === 'BlockStatement') {
    const body = node.body as Node[];
    const leaving = body.findIndex((statement) => leavesElsewhere(statement, source));
    return leaving < 0 ? body : body.slice(0, leaving);
  }
  const condition = node.type === 'LogicalExpression' ? node.left : node.test;
  const linux = isNode(condition) ? saysLinux(condition, source) : undefined;
  if (linux === undefined) return childrenOf(node);
  const onlyOnLinux = linux ? (node.consequent ?? node.right) : node.alternate;
  return childrenOf(node).filter((child) => child !== onlyOnLinux);
}

function textOf(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  return node.type === 'TemplateElement' ? (node.value as { raw: string }).raw : undefined;
}

function violation(node: Node, source: string): string | undefined {
  const text = textOf(node);
  if (text !== undefined && SYSTEM_PATH.test(text)) return text;
  if (node.type === 'MemberExpression') {
    const { start, end } = node as Node & { end: number };
    if (source.slice(start, end).endsWith(SYSTEM_NUMBERS)) return SYSTEM_NUMBERS;
  }
  const callee = node.type === 'CallExpression' ? (node.callee as Node) : undefined;
  if (!STARTERS.includes((callee?.name as string | undefined) ?? '')) return undefined;
  const [program] = node.arguments as Node[];
  const name = program && textOf(program);
  return name !== undefined && SYSTEM_PROGRAM.test(name) ? name : undefined;
}

/** What a source uses outside a branch for Linux that other systems lack. */
function findUnportable(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: Node): void => {
    const use = violation(node, source);
    if (use !== undefined) found.push(`${file}:${source.slice(0, node.start).split('\n').length}: ${use}`);
    for (const child of portableChildren(node, source)) visit(child);
  };
  visit(parseSync(file, source).program as unknown as Node);
  return found;
}

describe('portability', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name))
    .filter((file) => CODE.test(file) && !TEST.test(file));
  const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
  const unportable = [...sources].flatMap(([file, source]) =>
    USES_NODE.test(source) ? findUnportable(file, source) : [],
  );
  const fileOf = (use: string) => use.slice(0, use.indexOf(':'));

  test('nothing outside a branch for Linux needs Linux', () => {
    expect(unportable.filter((use) => !EXCEPTIONS.includes(fileOf(use)))).toEqual([]);
  });

  test('every exception is still one', () => {
    expect(EXCEPTIONS.filter((file) => !unportable.map(fileOf).includes(file))).toEqual([]);
  });

  test.each([
    ["readFileSync('/proc/self/status')"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the source of a program
    ['readFileSync(`/proc/${pid}/status`)'],
    ["spawnSync('stty', ['raw'])"],
    ["execFile('readlink', ['-f', file])"],
    ["spawn('sh', ['-c', line])"],
    ["exec('readlink -f x')"],
    ["openSync('/dev/null')"],
    ['process.exit(128 + os.constants.signals.SIGINT)'],
    ["if (process.platform === 'linux') a(); else spawn('stty')"],
    ["if (process.platform !== 'linux') spawn('stty')"],
    ["function f() { spawn('stty'); if (process.platform !== 'linux') return; }"],
  ])('%s needs Linux', (source) => {
    expect(findUnportable('file.ts', source)).toHaveLength(1);
  });

  test.each([
    ["// it reads '/proc/self'"],
    ["spawn('ping', [address])"],
    ["if (process.platform === 'linux') spawn('stty')"],
    ["const way = process.platform === 'linux' ? '/proc/self' : undefined"],
    ["process.platform === 'linux' && spawn('stty')"],
    ["function f() { if (process.platform !== 'linux') return false; return read('/proc/1'); }"],
    ["const folder = 'oci://docker.io/dev'"],
  ])('%s runs everywhere', (source) => {
    expect(findUnportable('file.ts', source)).toEqual([]);
  });
});

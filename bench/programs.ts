import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A program that people run in containers. */
export interface Program {
  readonly title: string;
  /** The image's tag. */
  readonly tag: string;
  /** The command, instead of the image's. */
  readonly command?: readonly string[];
  /** The output at which measuring begins; by default, measuring begins when the process starts. */
  readonly from?: RegExp;
  /** The output at which measuring ends. */
  readonly to: RegExp;
  /** The machine's memory if it is not the usual one. */
  readonly memoryMib?: number;
}

const GUEST = join(import.meta.dirname, 'guest');
const END = /^end$/m;

/** Each runs only briefly and executes most of its code once. They are measured together with the boot. */
export const COLD: readonly Program[] = [
  { title: 'hello-world', tag: 'hello-world', to: /^\(arch=.*\)$/m },
  cold('python3 -c pass', 'python', 'python3 -c pass'),
  cold('ls -R /', 'debian', 'ls -R / > /dev/null 2>&1'),
  cold('200 × fork, exec', 'debian', 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done'),
];

/** Each works for seconds after its preparation. */
export const WARM: readonly Program[] = [
  warm('python', 'python', ['python3', '-c', script('python.py')]),
  warm('sqlite', 'python', ['python3', '-c', script('sqlite.py')]),
  warm('perl', 'debian', ['perl', '-e', script('perl.pl')]),
  warm('gzip, 50 MB', 'debian', ['sh', '-c', script('gzip.sh'), 'sh', script('data.pl')]),
  warm('sha256sum, 50 MB', 'debian', ['sh', '-c', script('sha256.sh'), 'sh', script('data.pl')]),
  warm('redis-benchmark', 'redis', ['sh', '-c', script('redis.sh')]),
];

/**
 * Programs whose code mostly runs too rarely to pay for its compilation, and programs that write code.
 * @param writer `bench/guest/writer.c`, compiled
 */
export function widePrograms(writer: Uint8Array): Program[] {
  const shell = (line: string, ...words: string[]) => ['sh', '-c', `${line}\necho end`, 'sh', ...words];
  const wide = (title: string, tag: string, command: readonly string[]) => ({
    ...warm(title, tag, command),
    memoryMib: 1024,
  });
  const gcc = (title: string, functions: number) =>
    wide(title, 'gcc', shell(script('gcc.sh'), makeFunctions(functions)));
  return [
    gcc('gcc, 5 functions', 5),
    gcc('gcc, 60 functions', 60),
    wide('java, 3 starts', 'java', shell(script('java.sh'))),
    wide('node -e 1', 'node', shell('echo begin; node -e 1')),
    wide('initdb', 'postgres', shell(script('initdb.sh'))),
    wide('pgbench', 'postgres', shell(script('pgbench.sh'))),
    wide('QEMU', 'qemu', shell(script('qemu.sh'), script('qemu.pl'))),
    wide('a writer of code', 'debian', shell(script('writer.sh'), Buffer.from(writer).toString('base64'))),
  ];
}

/** A C program with this number of functions. */
function makeFunctions(count: number): string {
  return execFileSync('perl', [join(GUEST, 'functions.pl'), `${count}`], { encoding: 'utf8' });
}

function cold(title: string, tag: string, line: string): Program {
  return { title, tag, command: ['sh', '-c', `${line}; echo end`], to: END };
}

function warm(title: string, tag: string, command: readonly string[]): Program {
  return { title, tag, command, from: /^begin$/m, to: END };
}

function script(name: string): string {
  return readFileSync(join(GUEST, name), 'utf8');
}

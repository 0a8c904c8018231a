import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A program that people run in containers. */
export interface Program {
  readonly name: string;
  /** The image's tag. */
  readonly tag: string;
  /** The command, instead of the image's. */
  readonly command?: readonly string[];
  /** The output at which measuring begins; by default, measuring begins when the machine starts. */
  readonly from?: RegExp;
  /** The output at which measuring ends. */
  readonly to: RegExp;
  /** The machine's memory and harts if they are not the usual ones. */
  readonly memoryMib?: number;
  readonly cpus?: number;
}

const GUEST = join(import.meta.dirname, 'guest');
/** Some programs need more than the usual machine has. */
const LARGE_MIB = 1024;

/** Each executes most of its code once. The first ones are measured together with the boot. */
export const COLD: readonly Program[] = [
  { name: 'hello-world', tag: 'hello-world', to: /^\(arch=.*\)$/m },
  whole('python-pass', 'python', 'python3 -c pass'),
  whole('ls', 'debian', 'ls -R / > /dev/null 2>&1'),
  whole('forks', 'debian', 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done'),
  large('gcc-small', 'gcc', shell('gcc.sh', text('functions.pl'), '5', '0')),
  large('java', 'java', shell('java.sh')),
  large('node-start', 'node', ['sh', '-c', 'echo begin; node -e 1; echo end']),
  large('initdb', 'postgres', shell('initdb.sh')),
];

/** Each works for seconds after its preparation. */
export const WARM: readonly Program[] = [
  marked('python', 'python', ['python3', '-c', text('python.py')]),
  marked('sqlite', 'python', ['python3', '-c', text('sqlite.py')]),
  marked('perl', 'debian', ['perl', '-e', text('perl.pl')]),
  marked('gzip', 'debian', shell('gzip.sh', text('data.pl'))),
  marked('sha256sum', 'debian', shell('sha256.sh', text('data.pl'))),
  marked('redis', 'redis', shell('redis.sh')),
  marked('lua', 'lua', ['lua5.4', '-e', text('lua.lua')]),
  large('gcc', 'gcc', shell('gcc.sh', text('functions.pl'), '60', '5000')),
  marked('sort', 'debian', shell('sort.sh', text('data.pl'))),
  marked('git', 'gcc', shell('git.sh', text('history.pl'))),
  large('node', 'node', ['node', '-e', text('node.js')]),
  large('pgbench', 'postgres', shell('pgbench.sh')),
];

/**
 * Programs that write code and run it.
 * @param writer `bench/guest/writer.c`, compiled
 */
export function guestJits(writer: Uint8Array): Program[] {
  const write = (mode: string) => shell('writer.sh', Buffer.from(writer).toString('base64'), mode);
  return [
    marked('loop', 'debian', write('loop')),
    marked('rewriting', 'debian', write('rewrite')),
    large('qemu', 'qemu', shell('qemu.sh', text('qemu.pl'))),
  ];
}

/** Programs that run once, or twice at a time, in a machine with two harts. */
export function pair(count: number): Program[] {
  const harts = { cpus: 2, memoryMib: LARGE_MIB };
  return [
    { ...marked('sha256sum', 'debian', shell('sha256-pair.sh', text('data.pl'), `${count}`)), ...harts },
    { ...marked('python', 'python', ['python3', '-c', text('pair.py'), `${count}`]), ...harts },
  ];
}

/** A program that is measured from the start of its machine. */
function whole(name: string, tag: string, line: string): Program {
  return { name, tag, command: ['sh', '-c', `${line}; echo end`], to: /^end$/m };
}

/** A program that prints `begin` and `end`. */
function marked(name: string, tag: string, command: readonly string[]): Program {
  return { name, tag, command, from: /^begin$/m, to: /^end$/m };
}

function large(name: string, tag: string, command: readonly string[]): Program {
  return { ...marked(name, tag, command), memoryMib: LARGE_MIB };
}

function shell(script: string, ...words: string[]): string[] {
  return ['sh', '-c', text(script), 'sh', ...words];
}

function text(name: string): string {
  return readFileSync(join(GUEST, name), 'utf8');
}

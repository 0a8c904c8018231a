/**
 * By hand: compiles programs and a C library for RVA23U64 by a compiler that vectorises, runs them in
 * containers, and compares their output with that in QEMU.
 *
 *     node --import tsx emulator-wasm/test/rva23/main.ts FOLDER [SOURCE…]
 *
 * The folder gets the compiler, and all that it builds. With sources only their program runs.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type TarEntry, writeTar } from '../../../scripts/setup/tar.mjs';
import { compileRva23 } from '../../../scripts/testing/rva23-gcc.mjs';
import { buildRoot, LINKS } from '../../../scripts/testing/rva23-root.mjs';
import { type ContainerMachine, startContainer } from '../../../src/container/container.ts';
import { loadImage } from '../../../src/container/image.ts';
import { writeLayout } from '../../../src/container/testing/foreign.ts';
import { TarIndexer } from '../../../src/disk/tar.ts';
import { nodePlatform } from '../../../src/machine/platform/node.ts';
import { nodeCodec } from '../../../src/oci/node-codec.ts';
import { nodeSource } from '../../../src/oci/node-source.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { makeImage, makeLayer } from '../../../src/oci/testing/image.ts';
import type { JitMode } from '../../../src/options/jit.mjs';
import { nodeStore } from '../../../src/storage/node.ts';
import { qemuRva23In } from '../support/qemu.ts';
import { Random } from '../support/random.ts';

/** A program's arguments, its own path first, and its input. */
interface Case {
  readonly args: readonly string[];
  readonly input?: string;
  /** Its output, where QEMU cannot run it. */
  readonly expected?: string;
}

const HERE = import.meta.dirname;
const CONFIGURATIONS: readonly (readonly [JitMode, number])[] = [
  ['hot', 1],
  ['hot', 4],
  ['all', 1],
  ['off', 1],
];
const BYTES = 'data/bytes';
const TEXT = 'data/text';

const SQL = `
create table t (id integer primary key, name text, x real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  insert into t select i, 'name ' || (i * 7919 % 1000), i / 3.0 from n;
create index by_name on t (name, x);
select count(*), round(sum(x), 6), max(name), sum(length(name)) from t;
select name, count(*), group_concat(id) from t where x > 3000 group by name order by name limit 5;
select hex(zeroblob(20)), upper(name), instr(name, '9'), replace(name, 'na', 'x') from t limit 3;
select sum(a.id) from t a join t b on a.name = b.name where a.id < b.id and a.x < 500;
delete from t where id % 3 = 0; update t set name = lower(name) || x where id % 7 = 0;
select count(*), min(name), max(name), avg(x) from t; pragma integrity_check;
`;

/** `storm.c` checks itself. QEMU gives it the same first line, and then an illegal instruction. */
const UNDISTURBED = 'undisturbed 0011318907ab4971\n';
const RIGHT = [
  'under signals',
  'beside threads',
  ...Array(4).fill('in a thread'),
  'beside children',
  ...Array(3).fill('in a child'),
  'after jumps out of handlers',
  'many signals came',
];

function casesFor(bytes: Uint8Array): Case[] {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const busybox = (...args: string[]): Case => ({ args: ['bin/busybox', ...args] });
  const throughPipe = (pack: string, unpack: string): Case => ({
    args: ['bin/sh', '-c', `${pack} < ${BYTES} | ${unpack} | sha256sum`],
    expected: `${sha256}  -\n`,
  });
  return [
    { args: ['bin/loops'] },
    { args: ['bin/strings'] },
    { args: ['bin/storm'], expected: `${UNDISTURBED}${RIGHT.map((name) => `${name}: right\n`).join('')}` },
    { args: ['bin/vectors'], expected: 'passed\n' },
    { args: ['bin/zlib-example'] },
    ...['-1', '-6', '-9', '-h', '-f'].map((how) => ({
      args: ['bin/minigzip', how, '-c', how === '-1' ? TEXT : BYTES],
    })),
    { args: ['bin/sqlite3', ':memory:'], input: SQL },
    ...['md5sum', 'sha1sum', 'sha256sum', 'cksum', 'base64', 'od', 'wc'].map((tool) => busybox(tool, BYTES)),
    busybox('sort', TEXT),
    busybox('sort', '-k2', '-n', '-r', TEXT),
    busybox('grep', '-n', 'a[0-9]*z', TEXT),
    busybox('sed', 's/\\([a-m]*\\)\\([n-z]\\)/\\2-\\1/g', TEXT),
    busybox('awk', '{ n[length($1)]++; s += $2 * 1.5 } END { for (i in n) print i, n[i]; print s }', TEXT),
    busybox('gzip', '-c', TEXT),
    busybox('bzip2', '-c', TEXT),
    busybox('diff', TEXT, BYTES),
    ...['gzip', 'bzip2', 'minigzip'].map((program) => throughPipe(`${program} -9`, `${program} -d`)),
    throughPipe(`tar -cf - ${BYTES}`, 'tar -xOf -'),
    {
      args: [
        'bin/sh',
        '-c',
        'for i in 1 2 3 4; do (seq 1 2000 | sort -r | tail -n 1) & done; wait; echo done',
      ],
      expected: '1\n1\n1\n1\ndone\n',
    },
  ];
}

/** Text of words and numbers, and bytes some of which repeat. */
function makeData(): { text: string; bytes: Uint8Array } {
  const random = new Random(2026);
  const word = () =>
    Array.from({ length: random.between(1, 12) }, () => String.fromCharCode(97 + random.below(26))).join('');
  const lines = Array.from(
    { length: 4000 },
    () => `${word()}${random.below(50)}${word()} ${random.below(9999)}`,
  );
  const bytes = new Uint8Array(300_000);
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(random.between(1, 300), bytes.length - at);
    const earlier = at - random.between(300, 5000);
    if (earlier >= 0 && random.chance(0.5)) bytes.copyWithin(at, earlier, earlier + length);
    else for (let i = 0; i < length; i++) bytes[at + i] = random.below(random.chance(0.1) ? 256 : 16);
    at += length;
  }
  return { text: `${lines.join('\n')}\n`, bytes };
}

async function entriesOf(root: string): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for (const folder of ['bin', 'lib', 'data']) {
    entries.push({ path: `${folder}/`, type: 'directory' });
    for (const name of await readdir(join(root, folder))) {
      entries.push({
        path: `${folder}/${name}`,
        type: 'file',
        data: await readFile(join(root, folder, name)),
      });
    }
  }
  const links = LINKS.map((name) => ({ path: `bin/${name}`, type: 'symlink', target: 'busybox' }) as const);
  return [...entries, ...links, { path: 'tmp/', type: 'directory' }];
}

async function runIn(container: ContainerMachine, { args, input = '' }: Case): Promise<string> {
  const [program, ...rest] = args;
  const { stdin, stdout, exit } = container.exec({ args: [`/${program}`, ...rest], currentDir: '/' });
  const writer = stdin.getWriter();
  await writer.write(Buffer.from(input));
  await writer.close();
  const output = Buffer.from(await new Response(stdout).arrayBuffer());
  return `${output.toString('latin1')}status ${await exit}\n`;
}

async function expectedOf(root: string, { args, input = '', expected }: Case): Promise<string> {
  if (expected !== undefined) return `${expected}status 0\n`;
  const { status, output } = await qemuRva23In(root, args, input);
  return `${output.toString('latin1')}status ${status}\n`;
}

const [folder, ...sources] = process.argv.slice(2);
if (!folder) throw new Error('usage: main.ts FOLDER [SOURCE…]');
const compiler = resolve(folder);
const { built, flags } = await buildRoot(compiler);
const own =
  sources.length > 0 ? [sources] : ['loops', 'strings', 'storm'].map((name) => [join(HERE, `${name}.c`)]);
for (const program of own) {
  const file = await compileRva23(compiler, program, flags);
  await cp(file, join(built, 'bin', basename(file)));
}
const vectors = await compileRva23(
  compiler,
  [join(HERE, '../linux/vectors.c'), join(HERE, '../linux/check.h')],
  ['-static'],
);
await cp(vectors, join(built, 'bin/vectors'));
const { text, bytes } = makeData();
await mkdir(join(built, 'data'), { recursive: true });
await writeFile(join(built, TEXT), text);
await writeFile(join(built, BYTES), bytes);

const cases =
  sources.length > 0 ? [{ args: [`bin/${basename(sources[0] as string, '.c')}`] }] : casesFor(bytes);
const expected = await Promise.all(cases.map((each) => expectedOf(built, each)));

const layout = join(compiler, 'image');
const layer = makeLayer(new Uint8Array(writeTar(await entriesOf(built))));
const config = { Cmd: ['/bin/sleep', '1000000'], Env: ['PATH=/bin'] };
writeLayout(layout, { rva23: [makeImage([layer], { config })] });
const store = join(compiler, 'store');
const platform = nodePlatform(join(HERE, '../../../public'));

for (const [jit, cpus] of CONFIGURATIONS) {
  const source = nodeSource(parseReference(`oci://${layout}:rva23`), {
    createTarReader: () => new TarIndexer(),
  });
  const { signal } = new AbortController();
  const image = loadImage(source, nodeStore(store), { codec: nodeCodec, preferStored: false, signal });
  const size = { cpus, memoryBytes: 512 << 20, diskBytes: 256 << 20 };
  const container = await startContainer({ platform, store, image, jit, network: {}, ...size });
  let different = 0;
  for (const [number, each] of cases.entries()) {
    const got = await runIn(container, each);
    if (got === expected[number]) continue;
    different++;
    const [wrong, right] = [got, expected[number] ?? ''].map((text) => JSON.stringify(text.slice(-200)));
    console.log(`${each.args.join(' ')}\n  gave ${wrong}\n  in place of ${right}`);
  }
  await container.destroy();
  const agreed = cases.length - different;
  console.log(`compiled: ${jit}, processors: ${cpus}: ${agreed} of ${cases.length} programs as expected`);
  if (different > 0) process.exitCode = 1;
}
process.exit();

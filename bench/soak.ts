/**
 * `npx tsx bench/soak.ts [--minutes N] [--restart N] [--cpus N] [--jit hot|off|all]` runs mixed work in two
 * containers, for ten minutes or N. Every half minute it prints the process's memory and mappings, which must
 * stay level, and what the compiler has done. `--restart N` replaces the containers by new ones every N
 * minutes, which begin with the stored code. `--jit all` compiles so much that compiled code is evicted
 * again and again.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type ContainerMachine, startContainer } from '../src/container/container.ts';
import { nodePlatform } from '../src/machine/platform/node.ts';
import { type JitMode, parseJit } from '../src/options/jit.mjs';
import { chunks } from '../src/streams/chunks.ts';
import { withFolder } from './folder.ts';
import { findTestImage, pullInto } from './images.ts';
import { PUBLIC } from './platform.ts';

const INTERVAL = 30_000;
const MIB = 2 ** 20;

const PYTHON = `
while :; do
  python3 -c 'print(sum(hash((n, str(n))) & 1 for n in range(300000)))'
  python3 -m compileall -q -f /usr/local/lib/python3*/json /usr/local/lib/python3*/email
  python3 -c 'import random, re, json, zlib, hashlib, decimal
data = [{"n": n, "s": random.random(), "t": str(n) * 5} for n in range(20000)]
text = json.dumps(sorted(data, key=lambda d: d["s"]))
print(len(json.loads(text)), len(re.findall("[0-9]+", text)), len(zlib.compress(text.encode())))
print(sum(decimal.Decimal(n) / 7 for n in range(20000)))'
  head -c 10000000 /dev/urandom | gzip | sha256sum
  ls -lR /usr | sort | md5sum
  perl -e 'my %h; $h{$_ % 9973} .= $_ for 1..300000; print scalar(keys %h), "\\n"'
  for n in $(seq 150); do sh -c 'echo $(($1 * 7))' sh $n; done | cksum
  echo round
done`;

const REDIS = `
redis-server --save '' > /dev/null &
until redis-cli ping > /dev/null 2>&1; do sleep 0.1; done
while :; do
  redis-benchmark -n 5000 -q -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset > /dev/null
  redis-cli flushall > /dev/null
  for n in $(seq 100); do redis-cli set key$n $n > /dev/null; done
  head -c 3000000 /dev/zero | gzip -9 | sha256sum
  echo round
done`;

/** Starts a script that prints a line `round` for each round; returns a function that counts the rounds. */
async function start(store: string, tag: string, script: string, options: { cpus: number; jit: JitMode }) {
  const reference = findTestImage(tag);
  if (reference === undefined) throw new Error('no images to run');
  const { image } = await pullInto(store, reference);
  const size = { memoryBytes: 512 * MIB, diskBytes: 256 * MIB };
  const work = { image, store, args: ['sh', '-c', script] };
  const container = await startContainer({ platform: nodePlatform(PUBLIC), ...work, ...size, ...options });
  const running = { tag, container, rounds: 0 };
  // Both streams fail when the container is destroyed.
  countRounds(container, () => running.rounds++).catch(() => {});
  showErrors(container).catch(() => {});
  return running;
}

async function countRounds(container: ContainerMachine, count: () => void): Promise<void> {
  for await (const bytes of chunks(container.stdout)) {
    for (const _ of Buffer.from(bytes)
      .toString()
      .matchAll(/^round$/gm))
      count();
  }
}

async function showErrors(container: ContainerMachine): Promise<void> {
  for await (const bytes of chunks(container.stderr)) process.stderr.write(bytes);
}

/** Lines of /proc/self/maps. V8 needs several per module, and Linux allows a process 65530. */
const mappings = () => readFileSync('/proc/self/maps', 'latin1').split('\n').length;

function report(seconds: number, works: readonly Awaited<ReturnType<typeof start>>[]): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  const size = (bytes: number) => `${(bytes / MIB).toFixed(0)} MiB`;
  const resident = `${size(rss)} resident, JS heap ${size(heapUsed)}, external ${size(external)}`;
  console.log(`${seconds.toFixed(0)} s: ${resident}, ${mappings()} mappings`);
  for (const { tag, container, rounds } of works) {
    const { instructions, jit } = container.stats();
    const total = instructions.reduce((sum, each) => sum + each, 0);
    console.log(
      `  ${tag}: ${rounds} rounds, ${(total / 1e9).toFixed(1)} G instructions, ` +
        `${((100 * jit.compiled) / total).toFixed(1)} % compiled; ${jit.regions} regions and ${jit.storedRegions} stored ones, ${size(jit.bytes)}, ` +
        `translated in ${jit.seconds.toFixed(1)} s, ${jit.evictions} evictions`,
    );
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      restart: { type: 'string', default: 'Infinity' },
      cpus: { type: 'string', default: '1' },
      jit: { type: 'string', default: 'hot' },
    },
  });
  const options = { cpus: Number(values.cpus), jit: parseJit(values.jit) };
  await withFolder(async (store) => {
    const begin = performance.now();
    const end = begin + Number(values.minutes) * 60_000;
    while (performance.now() < end) {
      const works = [
        await start(store, 'python', PYTHON, options),
        await start(store, 'redis', REDIS, options),
      ];
      const restart = Math.min(end, performance.now() + Number(values.restart) * 60_000);
      while (performance.now() < restart) {
        await sleep(INTERVAL);
        report((performance.now() - begin) / 1000, works);
      }
      for (const { container } of works) await container.destroy();
    }
  });
}

await main();

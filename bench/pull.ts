import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DockerRegistry } from '../src/server/registry/testing/docker-registry.ts';
import { withFolder } from './folder.ts';
import { findTestImage, pullInto } from './images.ts';
import { requireCommands, runTimed, startAlone } from './process.ts';
import { median, printTable } from './table.ts';

const IMAGES = ['debian', 'python'];
const REQUIRED = 0.7;

/** The argument with which the benchmark starts itself to pull once in a new process. */
export const PULL_HERE = 'pull-here';

/** The cost of a pull, in seconds. */
interface PullSample {
  elapsed: number;
  cpu: number;
}

interface OwnSample extends PullSample {
  compressedBytes: number;
  /** Peak memory of the process, in bytes. */
  memory: number;
}

/** Pulls an image into a new store in this process, and prints its cost. */
export async function pullHere([reference = '', store = '']: string[]): Promise<void> {
  const start = performance.now();
  const before = process.cpuUsage();
  const { compressedBytes } = await pullInto(store, reference);
  const elapsed = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const memory = process.resourceUsage().maxRSS * 1024;
  const sample: OwnSample = { elapsed, cpu: (user + system) / 1e6, memory, compressedBytes };
  console.log(JSON.stringify(sample));
}

async function pullInNode(reference: string, store: string): Promise<OwnSample> {
  const program = [...process.execArgv, process.argv[1] as string, PULL_HERE, reference, store];
  return JSON.parse(await text(startAlone(process.execPath, program).stdout));
}

function copyBySkopeo(reference: string, target: string, options: readonly string[]): Promise<PullSample> {
  const policy = ['--quiet', '--insecure-policy', '--src-tls-verify=false'];
  return runTimed('skopeo', ['copy', ...policy, ...options, `docker://${reference}`, target]);
}

/**
 * Pulls images from a registry on the loopback interface, with skopeo and with us in turn, and prints tables.
 */
export async function benchPull(repeat: number): Promise<void> {
  console.log(`Pull from a registry on the loopback interface, medians of ${repeat}`);
  requireCommands(['docker-registry', 'skopeo'], 'docker-registry skopeo');
  await withFolder(async (folder) => {
    const registry = await DockerRegistry.start(folder);
    try {
      for (const tag of IMAGES) {
        const reference = findTestImage(tag);
        if (reference)
          await comparePulls(tag, await registry.copy(reference, `bench/${tag}`), repeat, folder);
      }
    } finally {
      await registry.stop();
    }
  });
}

async function comparePulls(tag: string, reference: string, repeat: number, folder: string): Promise<void> {
  const copies: PullSample[] = [];
  const unpacked: PullSample[] = [];
  const ours: OwnSample[] = [];
  const target = join(folder, 'target');
  const pulls = [
    async () => copies.push(await copyBySkopeo(reference, `oci:${target}:${tag}`, [])),
    async () => unpacked.push(await copyBySkopeo(reference, `dir:${target}`, ['--dest-decompress'])),
    async () => ours.push(await pullInNode(`docker://${reference}`, target)),
  ];
  for (let round = 0; round < repeat; round++) {
    for (const pull of pulls) {
      await pull();
      await rm(target, { recursive: true });
    }
  }
  const bytes = ours[0]?.compressedBytes ?? 0;
  const elapsed = (samples: PullSample[]) => median(samples.map((sample) => sample.elapsed));
  const row = (name: string, samples: PullSample[]) => [
    name,
    elapsed(samples).toFixed(3),
    median(samples.map(({ cpu }) => cpu)).toFixed(2),
    (bytes / elapsed(samples) / 1e6).toFixed(1),
    (elapsed(samples) / elapsed(ours)).toFixed(2),
  ];
  console.log(`${tag}: ${(bytes / 1e6).toFixed(1)} MB compressed`);
  printTable(
    ['', 'seconds', 'processor s', 'MB/s', 'ours ×'],
    [
      row('skopeo to a layout, compressed', copies),
      row('skopeo to a folder, decompressed', unpacked),
      row('ours', ours),
    ],
  );
  const memory = Math.max(...ours.map(({ memory }) => memory)) / 2 ** 20;
  const ratio = elapsed(copies) / elapsed(ours);
  console.log(`peak memory of ours ${memory.toFixed(0)} MiB`);
  console.log(`pull at ${ratio.toFixed(2)} × skopeo's speed (required: at least ${REQUIRED})\n`);
}

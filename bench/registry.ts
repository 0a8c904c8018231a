import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ATTEMPTS = 100;
const PAUSE = 100;

/** A registry on the loopback interface, with one repository for each image. */
export interface TestRegistry {
  /** Name and port. */
  readonly host: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts Debian's docker-registry with its files in `folder`. */
export async function startRegistry(folder: string): Promise<TestRegistry> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'registry.yml');
  const storage = `{filesystem: {rootdirectory: ${join(folder, 'registry')}}}`;
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: ${storage}\nhttp: {addr: "${host}"}\n`,
  );
  const registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => registry.once('exit', () => resolve()));
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok) break;
    if (attempt === ATTEMPTS || registry.exitCode !== null) throw new Error('docker-registry does not start');
    await sleep(PAUSE);
  }
  return {
    host,
    async stop() {
      registry.kill();
      await ended;
    },
  };
}

/** @param reference of an image layout, `oci://…` @returns the reference in the registry, without a scheme */
export async function push(registry: TestRegistry, reference: string, repository: string): Promise<string> {
  const target = `${registry.host}/${repository}:latest`;
  const source = reference.replace('oci://', 'oci:');
  const choice = ['--override-arch', 'riscv64', '--insecure-policy', '--dest-tls-verify=false'];
  await run('skopeo', ['copy', '--quiet', ...choice, source, `docker://${target}`]);
  return target;
}

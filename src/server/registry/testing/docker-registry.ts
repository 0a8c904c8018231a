/** Debian's docker-registry, the reference implementation of the distribution specification. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MANIFEST_TYPE, sha256, type TestImage } from '../../../oci/testing/image.ts';

const PROGRAM = '/usr/bin/docker-registry';
const ATTEMPTS = 100;
const PAUSE_MS = 100;

const run = promisify(execFile);

/** Headers that let pages of all origins read from a registry. */
export const OPEN_TO_PAGES: Readonly<Record<string, readonly string[]>> = {
  'Access-Control-Allow-Origin': ['*'],
  'Access-Control-Allow-Methods': ['GET', 'HEAD', 'OPTIONS'],
  'Access-Control-Allow-Headers': ['Accept', 'Authorization', 'Range'],
  'Access-Control-Expose-Headers': ['WWW-Authenticate'],
};

export const hasDockerRegistry = existsSync(PROGRAM);

export class DockerRegistry {
  readonly host: string;
  readonly #process: ChildProcess;

  private constructor(host: string, process: ChildProcess) {
    this.host = host;
    this.#process = process;
  }

  /**
   * @param folder the folder for its data
   * @param headers the headers of every answer, each with its values
   */
  static async start(folder: string, headers = {}): Promise<DockerRegistry> {
    const host = `127.0.0.1:${await freePort()}`;
    const configuration = {
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(folder, 'data') } },
      http: { addr: host, headers },
    };
    const file = join(folder, 'config.yml');
    await writeFile(file, JSON.stringify(configuration));
    const child = spawn(PROGRAM, ['serve', file], { stdio: 'ignore' });
    const registry = new DockerRegistry(host, child);
    await registry.#untilReady();
    return registry;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async push(repository: string, tag: string, { config, layers, manifest }: TestImage): Promise<void> {
    for (const blob of [config, ...layers.map((layer) => layer.blob)]) {
      const begun = await this.#send('POST', `/v2/${repository}/blobs/uploads/`);
      const url = new URL(begun.headers.get('Location') ?? '', `http://${this.host}`);
      url.searchParams.set('digest', sha256(blob));
      await this.#send('PUT', url.href, blob, 'application/octet-stream');
    }
    await this.#send('PUT', `/v2/${repository}/manifests/${tag}`, manifest, MANIFEST_TYPE);
  }

  /**
   * Copies the image for our machine from an image layout with skopeo.
   * @param reference `oci://…`
   * @returns the reference in this registry, without a scheme
   */
  async copy(reference: string, repository: string): Promise<string> {
    const target = `${this.host}/${repository}:latest`;
    const choice = ['--override-arch', 'riscv64', '--insecure-policy', '--dest-tls-verify=false'];
    const source = reference.replace('oci://', 'oci:');
    await run('skopeo', ['copy', '--quiet', ...choice, source, `docker://${target}`]);
    return target;
  }

  async #untilReady(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS && this.#process.exitCode === null; attempt++) {
      if (await fetch(`http://${this.host}/v2/`).catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    await this.stop();
    throw new Error('docker-registry does not start');
  }

  async #send(method: string, path: string, body?: Uint8Array, type?: string): Promise<Response> {
    const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
    const init = { method, headers, body: (body as BodyInit | undefined) ?? null };
    const response = await fetch(new URL(path, `http://${this.host}`), init);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

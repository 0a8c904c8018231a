/** Debian's docker-registry: the reference implementation of the distribution specification. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { MANIFEST_TYPE, sha256, type TestImage } from '../../../oci/testing/image.ts';

const PROGRAM = '/usr/bin/docker-registry';

export const hasDockerRegistry = existsSync(PROGRAM);

export class DockerRegistry {
  readonly host: string;
  readonly #process: ChildProcess;

  private constructor(host: string, process: ChildProcess) {
    this.host = host;
    this.#process = process;
  }

  /** @param folder for its data */
  static async start(folder: string): Promise<DockerRegistry> {
    const host = `127.0.0.1:${await freePort()}`;
    const configuration = {
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(folder, 'data') } },
      http: { addr: host },
    };
    const file = join(folder, 'config.yml');
    await writeFile(file, JSON.stringify(configuration));
    const child = spawn(PROGRAM, ['serve', file], { stdio: 'ignore' });
    const registry = new DockerRegistry(host, child);
    await registry.#untilReady();
    return registry;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
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

  async #untilReady(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (await fetch(`http://${this.host}/v2/`).catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    this.stop();
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
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

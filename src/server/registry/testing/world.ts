/** A server with the proxy and registries around it, all on the loopback interface. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeRegistry } from '../../../oci/testing/fake-registry.ts';
import { type RunningServer, startServer } from '../../server.ts';
import type { RegistryProxyOptions } from '../options.ts';
import { RegistryProxy } from '../proxy.ts';

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Headers;
}

/** The servers of one test. Each test creates its own and closes it; closing again does nothing. */
export class World {
  readonly #registries: FakeRegistry[] = [];
  readonly #folders: string[] = [];
  readonly #servers: RunningServer[] = [];

  async registry(): Promise<FakeRegistry> {
    const registry = await FakeRegistry.start();
    this.#registries.push(registry);
    return registry;
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'linuxrun-proxy-'));
    this.#folders.push(folder);
    return folder;
  }

  /** @param hosts of registries on this machine, which the proxy may ask */
  async proxy(hosts: readonly string[], options: RegistryProxyOptions = {}): Promise<Client> {
    const registryProxy = await RegistryProxy.open({ registries: hosts, loopback: hosts, ...options });
    const server = await startServer([], 0, { registryProxy });
    this.#servers.push(server);
    return new Client(server.url);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
    await Promise.all(this.#registries.splice(0).map((registry) => registry.stop()));
    await Promise.all(this.#folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** The client's side. */
export class Client {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(`registry/${path}`, this.url), init);
  }

  async bytes(path: string, init?: RequestInit): Promise<Buffer> {
    const response = await this.get(path, init);
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Returns the error of the answer, which must have the form of the specification. */
  async failure(path: string, init?: RequestInit): Promise<Failure> {
    const response = await this.get(path, init);
    const { status, headers } = response;
    const text = await response.text();
    if (status < 400 || headers.get('Content-Type') !== 'application/json')
      throw new Error(`no error: ${status} ${text.slice(0, 100)}`);
    const { errors } = JSON.parse(text) as { errors: { code: string; message: string }[] };
    const [error = { code: '', message: '' }] = errors;
    return { status, headers, ...error };
  }
}

export async function listing(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort();
}

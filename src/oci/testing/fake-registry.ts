import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INDEX_TYPE, MANIFEST_TYPE, sha256, type TestImage } from './image.ts';

interface Document {
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface SeenRequest {
  readonly host: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers a request instead of the registry. Returns false to leave it to the registry. */
export type Interceptor = (
  request: IncomingMessage,
  response: ServerResponse,
) => boolean | undefined | Promise<boolean | undefined>;

/** A registry on the loopback interface that can be made to misbehave. */
export class FakeRegistry {
  readonly requests: SeenRequest[] = [];
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests = new Map<string, Document>();
  /** By digest. */
  readonly blobs = new Map<string, Uint8Array>();
  intercept: Interceptor | undefined;
  /** If set, requests need a token, which these credentials get, or everyone. */
  auth: { credentials?: string; token: string } | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  add(name: string, image: TestImage): void {
    const [repository] = name.split(':');
    for (const blob of [image.config, ...image.layers.map(({ blob }) => blob)])
      this.blobs.set(sha256(blob), blob);
    this.manifests.set(name, { type: MANIFEST_TYPE, bytes: image.manifest });
    this.manifests.set(`${repository}@${image.digest}`, { type: MANIFEST_TYPE, bytes: image.manifest });
  }

  addIndex(name: string, bytes: Uint8Array): void {
    this.manifests.set(name, { type: INDEX_TYPE, bytes });
    this.manifests.set(`${name.split(':')[0]}@${sha256(bytes)}`, { type: INDEX_TYPE, bytes });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host = '', authorization, range } = request.headers;
    this.requests.push({ host, path: request.url ?? '', authorization, range });
    if (await this.intercept?.(request, response)) return;
    const url = new URL(request.url ?? '', `http://${host}`);
    if (url.pathname === '/token') this.#sendToken(request, response);
    else if (this.auth && authorization !== `Bearer ${this.auth.token}`) this.#challenge(url, response);
    else this.#send(url.pathname, request, response);
  }

  /** Returns a page of the tags of a repository. */
  #tags(repository: string, { url = '' }: IncomingMessage): string[] {
    const { searchParams } = new URL(url, 'http://x');
    const last = searchParams.get('last') ?? '';
    return [...this.manifests.keys()]
      .filter((name) => name.startsWith(`${repository}:`))
      .map((name) => name.slice(repository.length + 1))
      .sort()
      .filter((tag) => tag > last)
      .slice(0, Number(searchParams.get('n') ?? 100_000));
  }

  #challenge(url: URL, response: ServerResponse): void {
    const repository = /^\/v2\/(.*)\/(manifests|blobs|tags)\//.exec(url.pathname)?.[1];
    const scope = `repository:${repository}:pull`;
    response.writeHead(401, {
      'WWW-Authenticate': `Bearer realm="http://${this.host}/token",service="fake",scope="${scope}"`,
    });
    response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }));
  }

  #sendToken(request: IncomingMessage, response: ServerResponse): void {
    const { credentials, token } = this.auth ?? { token: '' };
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (request.headers.authorization === expected) response.end(JSON.stringify({ token, expires_in: 60 }));
    else response.writeHead(401).end();
  }

  #send(path: string, request: IncomingMessage, response: ServerResponse): void {
    const [, listed] = /^\/v2\/(.*)\/tags\/list$/.exec(path) ?? [];
    if (listed !== undefined) {
      response.end(JSON.stringify({ name: listed, tags: this.#tags(listed, request) }));
      return;
    }
    const [, repository, kind, name = ''] = /^\/v2\/(.*)\/(manifests|blobs)\/([^/]*)$/.exec(path) ?? [];
    if (kind === 'blobs') {
      sendBlob(this.blobs.get(name), request, response);
      return;
    }
    const manifest = this.manifests.get(`${repository}${name.includes(':') ? '@' : ':'}${name}`);
    if (!manifest) {
      const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
      response.writeHead(404).end(JSON.stringify({ errors }));
      return;
    }
    const { type, bytes } = manifest;
    response.writeHead(200, { 'Content-Type': type, 'Docker-Content-Digest': sha256(bytes) }).end(bytes);
  }
}

function sendBlob(blob: Uint8Array | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!blob) {
    response.writeHead(404).end();
    return;
  }
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  if (from !== undefined)
    response.writeHead(206, { 'Content-Range': `bytes ${start}-${blob.length - 1}/${blob.length}` });
  else response.writeHead(200, { 'Content-Length': blob.length });
  response.end(blob.subarray(start));
}

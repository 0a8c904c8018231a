/** Outgoing connections of this server, which go to public addresses only. */
import { lookup as systemLookup } from 'node:dns/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isLoopbackAddress, isPublicAddress } from './addresses.ts';
import { badGateway, notAllowed, ProxyError } from './errors.ts';

/** Resolves all addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

export interface UpstreamOptions {
  /** The system's lookup by default. */
  readonly resolve?: Resolve | undefined;
  /** Hosts with their ports that may be on this machine and without TLS, for tests. */
  readonly loopback?: readonly string[] | undefined;
  /** An origin that may be anywhere, because the operator names it. */
  readonly mirror?: string | undefined;
}

export class Upstream {
  readonly #resolve: Resolve;
  readonly #loopback: ReadonlySet<string>;
  readonly #loopbackNames: ReadonlySet<string>;
  readonly #mirror: URL | undefined;
  readonly #agents: Readonly<Record<string, http.Agent>>;

  constructor({ resolve, loopback = [], mirror }: UpstreamOptions) {
    this.#resolve = resolve ?? ((hostname) => systemLookup(hostname, { all: true }));
    this.#loopback = new Set(loopback);
    this.#mirror = mirror === undefined ? undefined : new URL(mirror);
    this.#loopbackNames = new Set(loopback.map((host) => new URL(`http://${host}`).hostname));
    // The lookup is part of connecting, so the connection uses the addresses that were checked.
    const options = { keepAlive: true, timeout: 30_000, lookup: this.#lookup };
    this.#agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** Whether the options list a host, with its port, as being on this machine. */
  isLoopback(host: string): boolean {
    return this.#loopback.has(host);
  }

  /**
   * Sends a request and follows no redirects.
   * @throws ProxyError, or the reason of the signal, which also ends the answer's body
   */
  async send(
    method: 'GET' | 'HEAD',
    url: URL,
    headers: http.OutgoingHttpHeaders,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    this.#check(url);
    for (;;) {
      const { request, answered } = this.#start(method, url, headers, signal);
      try {
        return await answered;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ProxyError) throw error;
        const { code } = error as NodeJS.ErrnoException;
        // The server may close an idle connection just as we use it again.
        if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) continue;
        throw unreachable(url.host, error as NodeJS.ErrnoException);
      }
    }
  }

  #start(method: string, url: URL, headers: http.OutgoingHttpHeaders, signal: AbortSignal) {
    const { request: start } = url.protocol === 'https:' ? https : http;
    const agent = this.#agents[url.protocol];
    const request = start(url, { method, headers, agent, signal });
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      // This handler stays, because a later error also fails the answer's body.
      request.on('error', reject);
    });
    request.end();
    return { request, answered };
  }

  isMirror({ origin }: URL): boolean {
    return origin === this.#mirror?.origin;
  }

  /** Checks the URL itself. An address in it needs no lookup, so it is checked here. */
  #check(url: URL): void {
    const { protocol, host, hostname } = url;
    if (this.isMirror(url)) return;
    // The addresses of this name are not checked.
    if (hostname === this.#mirror?.hostname) throw notPublic(host);
    if (protocol !== 'https:' && !(protocol === 'http:' && this.isLoopback(host)))
      throw notAllowed(`this server asks ${host} over https only`);
    const address = hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && !this.#mayConnect(hostname, address)) throw notPublic(host);
  }

  readonly #lookup: LookupFunction = (hostname, { all }, done) => {
    this.#resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        const allowed = addresses.every(({ address }) => this.#mayConnect(hostname, address));
        if (!first) done(badGateway(`${hostname} has no address`), '');
        else if (!allowed) done(notPublic(hostname), '');
        else if (all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error) => done(error, ''),
    );
  };

  #mayConnect(hostname: string, address: string): boolean {
    if (isPublicAddress(address) || hostname === this.#mirror?.hostname) return true;
    return this.#loopbackNames.has(hostname) && isLoopbackAddress(address);
  }
}

function notPublic(host: string): ProxyError {
  return notAllowed(
    `${host} is not on the public internet, and this server connects to nothing else: ./run.sh on a computer that reaches it does`,
  );
}

function unreachable(host: string, { code, message }: NodeJS.ErrnoException): ProxyError {
  if (code === 'ENOTFOUND') return badGateway(`there is no host ${host}: check the name of the registry`);
  if (code === 'EAI_AGAIN')
    return badGateway(`the address of ${host} cannot be looked up at the moment: try again later`);
  if (/CERT|TLS|SSL/.test(code ?? ''))
    return badGateway(`${host} has no valid certificate for its name (${code})`);
  return badGateway(`cannot reach ${host} (${code ?? message}): try again later`);
}

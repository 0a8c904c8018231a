import { spawn } from 'node:child_process';
import { createSocket, type Socket as UdpEndpoint } from 'node:dgram';
import { Resolver } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { read16, write16 } from './bytes.ts';
import { isTruncated } from './dns-message.ts';
import type { Host, TcpEvents, TcpFailure, TcpSocket, UdpEvents, UdpSocket } from './host.ts';
import { SendQueue, withoutSpare } from './send-queue.ts';

const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'];
/** How long the system's own addresses and name servers are taken to be the same, in ms. */
const FRESH = 1000;
const DNS_PORT = 53;
/** How long a name server may take to answer over UDP, and over TCP, in ms. */
const QUERY_PATIENCE = 2000;
const STREAM_PATIENCE = 5000;
/** How long an echo may take, in ms. At one request a second, four are under way at a time at most. */
const ECHO_PATIENCE = 3500;
/** The status of ping without an answer (BSD's is 2). Others mean that it could not ask. */
const NO_ANSWER = ['linux', 'win32'].includes(process.platform) ? 1 : 2;
/** The most servers that are asked, one after the other. */
const MAX_SERVERS = 3;

/**
 * The sockets of Node.
 * @param nameServers instead of the system's: `address` or `address:port`
 */
export function nodeHost(nameServers?: readonly string[]): Host {
  const ownAddresses = remembered(() =>
    Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)),
  );
  // A new resolver reads the system's configuration anew.
  const systemServers = remembered(() => new Resolver().getServers());
  return {
    connect: (address, port, events) => new NodeTcpSocket(address, port, events),
    openUdp: (address, port, events) => new NodeUdpSocket(address, port, events),
    query: (message) => askServers(nameServers ?? systemServers(), message),
    echo: runPing,
    ownAddresses,
  };
}

function remembered<T>(read: () => T): () => T {
  let value: T;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - readAt > FRESH) {
      value = read();
      readAt = performance.now();
    }
    return value;
  };
}

/** The system fills it for one read of any socket at a time. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 << 10);
const FIRST_READ = 8 << 10;

class NodeTcpSocket implements TcpSocket {
  readonly #socket: Socket;
  readonly #events: TcpEvents;
  #readSize = FIRST_READ;
  /** Pieces that the socket has and has not sent. */
  #sending = 0;
  /** What comes meanwhile. A guest may write single bytes, each of which would take an object. */
  readonly #queue = new SendQueue();
  #isEnded = false;

  constructor(host: string, port: number, events: TcpEvents) {
    this.#events = events;
    // Unlike its stream, this reads nothing ahead while the socket is paused. A read is as large as all those
    // before it, so that a connection whose data nobody takes costs little.
    const onread = {
      buffer: () => READ_BUFFER.subarray(0, this.#readSize),
      callback: (length: number) => this.#take(length),
    };
    this.#socket = connect({ host, port, allowHalfOpen: true, noDelay: true, onread });
    this.#socket.on('connect', () => events.connected());
    this.#socket.on('end', () => events.ended());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => events.failed(reasonOf(error)));
  }

  get waiting(): number {
    return this.#socket.writableLength + this.#queue.length;
  }

  write(bytes: Uint8Array): void {
    if (this.#sending > 0) this.#queue.push(bytes);
    else this.#send(withoutSpare(bytes));
  }

  end(): void {
    this.#isEnded = true;
    if (this.#queue.length === 0) this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #take(length: number): boolean {
    this.#readSize = Math.min(READ_BUFFER.length, this.#readSize + length);
    this.#events.received(READ_BUFFER.subarray(0, length));
    return true;
  }

  #send(bytes: Uint8Array): void {
    this.#sending++;
    this.#socket.write(bytes, this.#onSent);
  }

  readonly #onSent = (error?: Error | null) => {
    this.#sending--;
    // The socket tells of it.
    if (error) return;
    if (this.#sending === 0) this.#sendQueue();
    this.#events.sent();
  };

  #sendQueue(): void {
    if (this.#queue.length === 0) return;
    this.#socket.cork();
    for (const bytes of this.#queue.takeAll()) this.#send(bytes);
    this.#socket.uncork();
    if (this.#isEnded) this.#socket.end();
  }

  abort(): void {
    // A reset would wait until the connection is made, which may take minutes.
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}

function reasonOf({ code = '' }: NodeJS.ErrnoException): TcpFailure {
  if (code === 'ECONNREFUSED') return 'refused';
  return UNREACHABLE.includes(code) ? 'unreachable' : 'reset';
}

class NodeUdpSocket implements UdpSocket {
  /** Datagrams from before the socket is connected. */
  #early: Uint8Array[] | undefined = [];
  readonly #socket: UdpEndpoint;
  readonly #events: UdpEvents;
  #isClosed = false;

  constructor(address: string, port: number, events: UdpEvents) {
    this.#events = events;
    const isIpv6 = address.includes(':');
    this.#socket = createSocket({
      type: isIpv6 ? 'udp6' : 'udp4',
      // The address needs no lookup.
      lookup: (text, _options, done) => done(null, text, isIpv6 ? 6 : 4),
    });
    this.#socket.on('message', (data) => events.received(data));
    this.#socket.on('error', () => events.refused());
    this.#socket.on('connect', () => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const data of early) this.send(data);
    });
    this.#socket.connect(port, address);
  }

  send(data: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#early) this.#early.push(data);
    // A datagram that cannot be sent is lost.
    else this.#socket.send(data, (error) => isRefused(error) && this.#events.refused());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

function isRefused(error: NodeJS.ErrnoException | null): boolean {
  return error?.code === 'ECONNREFUSED';
}

/**
 * Returns the command that sends one echo request. Node has no sockets for ICMP, but the system's ping has
 * the privileges for them.
 */
export function pingCommand(
  platform: NodeJS.Platform,
  address: string,
): [program: string, ...args: string[]] {
  const isIpv6 = address.includes(':');
  if (platform === 'win32') return ['ping', isIpv6 ? '-6' : '-4', '-n', '1', address];
  const once = ['-n', '-q', '-c', '1', address];
  if (platform === 'linux') return ['ping', ...(isIpv6 ? ['-6'] : []), ...once];
  return [isIpv6 ? 'ping6' : 'ping', ...once];
}

function runPing(address: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const [program, ...args] = pingCommand(process.platform, address);
    const ping = spawn(program, args, { stdio: 'ignore' });
    const timer = setTimeout(() => {
      ping.kill();
      resolve(false);
    }, ECHO_PATIENCE);
    const settle = (isAnswered: boolean | undefined) => {
      clearTimeout(timer);
      resolve(isAnswered);
    };
    ping.on('error', () => settle(undefined));
    ping.on('exit', (status) => settle(status === 0 ? true : status === NO_ANSWER ? false : undefined));
  });
}

async function askServers(servers: readonly string[], message: Uint8Array): Promise<Uint8Array> {
  let failure: unknown = new Error('the system has no name server');
  for (const server of servers.slice(0, MAX_SERVERS)) {
    try {
      const answer = await askOverUdp(endpointOf(server), message);
      return isTruncated(answer) ? await askOverTcp(endpointOf(server), message) : answer;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @param server as `dns.getServers` writes it: `1.2.3.4`, `1.2.3.4:53`, `::1`, `[::1]:53` */
function endpointOf(server: string): Endpoint {
  const [, bracketed, plain, port = DNS_PORT] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(server) ?? [];
  return { host: bracketed ?? plain ?? server, port: Number(port) };
}

function askOverUdp({ host, port }: Endpoint, message: Uint8Array): Promise<Uint8Array> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${host} does not answer`)), QUERY_PATIENCE);
    const settle = (action: () => void) => {
      clearTimeout(timer);
      action();
    };
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('message', (data) => {
      // One with another identifier may be forged.
      if (data.length >= 2 && read16(data, 0) === read16(message, 0)) settle(() => resolve(data));
    });
    // An error without a callback is an event.
    socket.on('connect', () => socket.send(message));
    socket.connect(port, host);
  });
  return answer.finally(() => socket.close());
}

function askOverTcp({ host, port }: Endpoint, message: Uint8Array): Promise<Uint8Array> {
  const socket = connect({ host, port, timeout: STREAM_PATIENCE });
  const framed = new Uint8Array(2 + message.length);
  write16(framed, 0, message.length);
  framed.set(message, 2);
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('timeout', () => reject(new Error(`${host} does not answer`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${host} has closed the connection`)));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      const end = received.length < 2 ? Number.POSITIVE_INFINITY : 2 + received.readUInt16BE();
      if (received.length >= end) resolve(received.subarray(2, end));
    });
    socket.write(framed);
  });
  return answer.finally(() => socket.destroy());
}

/** Messages between host and the guest's agent; `docs/agent-protocol.md` defines them. */

export const PROTOCOL_VERSION = 1;
export const CONTROL_PORT = 1024;
export const STREAM_PORT = 1025;
/** u32 process id, u32 file descriptor: what the guest sends first on a stream of a process. */
export const STREAM_HEADER_SIZE = 8;
const MAX_MESSAGE = 1 << 20;

const RUN = 1;
const HELLO = 2;
const EXIT = 3;
const SIGNAL = 4;
const POWEROFF = 5;
const CONTAINER = 6;
const RESIZE = 7;

const RUN_ON_CONSOLE = 1;
const WITH_TERMINAL = 1;

export interface RunRequest {
  readonly process: number;
  /** Program, found by PATH, and its arguments. */
  readonly args: readonly string[];
  /** `NAME=value` each. */
  readonly env: readonly string[];
  readonly directory: string;
  /** Run on the console (hvc0) as its controlling terminal, without streams. */
  readonly console: boolean;
}

/** In characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The first process of a container whose root file system is on the machine's disks. */
export interface ContainerRequest {
  readonly process: number;
  /** Program, found in the container's PATH, and its arguments. */
  readonly args: readonly string[];
  /** `NAME=value` each. */
  readonly env: readonly string[];
  /** Made when it is missing. */
  readonly directory: string;
  /** `user`, `user:group`, by name or number; empty for root. */
  readonly user: string;
  readonly hostname: string;
  /** Directories that are made when they are missing. */
  readonly volumes: readonly string[];
  /** Without one the process has three streams. */
  readonly terminal?: TerminalSize | undefined;
}

export type GuestMessage =
  | { type: 'hello'; version: number }
  | { type: 'exit'; process: number; status: number };

/** @throws RangeError when a string holds NUL or the whole is longer than the protocol allows */
export function encodeRun(run: RunRequest): Uint8Array<ArrayBuffer> {
  return frame(
    RUN,
    u32(run.process),
    Uint8Array.of(run.console ? RUN_ON_CONSOLE : 0),
    strings(run.args),
    strings(run.env),
    cString(run.directory),
  );
}

/** @throws RangeError as `encodeRun` */
export function encodeContainer(request: ContainerRequest): Uint8Array<ArrayBuffer> {
  const { terminal } = request;
  return frame(
    CONTAINER,
    u32(request.process),
    Uint8Array.of(terminal ? WITH_TERMINAL : 0),
    size(terminal ?? { columns: 0, rows: 0 }),
    strings(request.args),
    strings(request.env),
    cString(request.directory),
    cString(request.user),
    cString(request.hostname),
    strings(request.volumes),
  );
}

export function encodeResize(process: number, terminal: TerminalSize): Uint8Array<ArrayBuffer> {
  return frame(RESIZE, u32(process), size(terminal));
}

export function encodeSignal(process: number, signal: number): Uint8Array<ArrayBuffer> {
  return frame(SIGNAL, u32(process), u32(signal));
}

export function encodePowerOff(): Uint8Array<ArrayBuffer> {
  return frame(POWEROFF);
}

/** Cuts the guest's bytes into messages. */
export class MessageReader {
  #pending = new Uint8Array();

  /** @throws RangeError when a message is longer or shorter than the protocol allows */
  push(bytes: Uint8Array): GuestMessage[] {
    this.#pending = concat([this.#pending, bytes]);
    const messages: GuestMessage[] = [];
    for (;;) {
      const view = new DataView(this.#pending.buffer);
      if (this.#pending.length < 4) return messages;
      const length = view.getUint32(0, true);
      if (length > MAX_MESSAGE || length < 1) throw new RangeError(`a message of ${length} bytes`);
      if (this.#pending.length < 4 + length) return messages;
      const message = decode(view.getUint8(4), this.#pending.subarray(5, 4 + length));
      if (message) messages.push(message);
      this.#pending = this.#pending.slice(4 + length);
    }
  }
}

function decode(type: number, payload: Uint8Array): GuestMessage | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  switch (type) {
    case HELLO:
      return { type: 'hello', version: view.getUint32(0, true) };
    case EXIT:
      return { type: 'exit', process: view.getUint32(0, true), status: view.getUint32(4, true) };
    default:
      return undefined;
  }
}

function frame(type: number, ...payload: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat([Uint8Array.of(type), ...payload]);
  if (body.length > MAX_MESSAGE) throw new RangeError('arguments and environment are longer than 1 MiB');
  return concat([u32(body.length), body]);
}

function strings(list: readonly string[]): Uint8Array {
  return concat([u32(list.length), ...list.map(cString)]);
}

function size({ columns, rows }: TerminalSize): Uint8Array {
  return concat([u32(columns), u32(rows)]);
}

function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new RangeError('arguments and environment cannot hold NUL');
  return new TextEncoder().encode(`${text}\0`);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

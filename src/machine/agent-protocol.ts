/** Messages between host and the guest's agent; `docs/agent-protocol.md` defines them. */
import type { TerminalSize } from './terminal-size.ts';

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
const EXEC = 8;
const READ_FILE = 9;
const WRITE_FILE = 10;
const MEASURE = 11;
const USAGE = 12;

const RUN_ON_CONSOLE = 1;
const WITH_TERMINAL = 1;
const SAME_MODE = 0xffff_ffff;

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

/** A process of a container. */
export interface ContainedRequest {
  readonly process: number;
  /** Program, found in the container's PATH, and its arguments. */
  readonly args: readonly string[];
  /** `NAME=value` each. */
  readonly env: readonly string[];
  readonly directory: string;
  /** `user`, `user:group`, by name or number; empty for root. */
  readonly user: string;
  /** Without one the process has three streams. */
  readonly terminal?: TerminalSize | undefined;
}

/**
 * The first process of a container whose root file system is on the machine's disks. Its directory is made when it
 * is missing.
 */
export interface ContainerRequest extends ContainedRequest {
  readonly hostname: string;
  /** Directories that are made when they are missing. */
  readonly volumes: readonly string[];
}

/** A further process in a container. */
export interface ExecRequest extends ContainedRequest {
  /** The number of the container's first process. */
  readonly container: number;
}

/** A file of a container, whose content comes or goes on a stream of this process. */
export interface FileRequest {
  readonly process: number;
  /** The number of the container's first process. */
  readonly container: number;
  readonly path: string;
}

/** In bytes. */
export interface Usage {
  /** The machine's memory, without the kernel itself; available is what programs could have of it. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** The disk that the container writes to. */
  readonly disk: { readonly totalBytes: number; readonly usedBytes: number };
}

export type GuestMessage =
  | { type: 'hello'; version: number }
  | { type: 'usage'; usage: Usage }
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
  return frame(
    CONTAINER,
    u32(request.process),
    contained(request),
    cString(request.hostname),
    strings(request.volumes),
  );
}

/** @throws RangeError as `encodeRun` */
export function encodeExec(request: ExecRequest): Uint8Array<ArrayBuffer> {
  return frame(EXEC, u32(request.process), u32(request.container), contained(request));
}

/** @throws RangeError as `encodeRun` */
export function encodeReadFile({ process, container, path }: FileRequest): Uint8Array<ArrayBuffer> {
  return frame(READ_FILE, u32(process), u32(container), cString(path));
}

/**
 * @param mode permissions; without them, those of the file that is replaced, or else 0644
 * @throws RangeError as `encodeRun`
 */
export function encodeWriteFile(
  { process, container, path }: FileRequest,
  mode = SAME_MODE,
): Uint8Array<ArrayBuffer> {
  return frame(WRITE_FILE, u32(process), u32(container), u32(mode), cString(path));
}

/** @param container the number of its first process */
export function encodeMeasure(container: number): Uint8Array<ArrayBuffer> {
  return frame(MEASURE, u32(container));
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
    case USAGE:
      return { type: 'usage', usage: decodeUsage(view) };
    default:
      return undefined;
  }
}

function decodeUsage(view: DataView): Usage {
  const bytes = (index: number) => Number(view.getBigUint64(index * 8, true));
  return {
    memory: { totalBytes: bytes(0), availableBytes: bytes(1) },
    disk: { totalBytes: bytes(2), usedBytes: bytes(3) },
  };
}

function contained({ terminal, args, env, directory, user }: ContainedRequest): Uint8Array {
  return concat([
    Uint8Array.of(terminal ? WITH_TERMINAL : 0),
    size(terminal ?? { columns: 0, rows: 0 }),
    strings(args),
    strings(env),
    cString(directory),
    cString(user),
  ]);
}

function frame(type: number, ...payload: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat([Uint8Array.of(type), ...payload]);
  if (body.length > MAX_MESSAGE)
    throw new RangeError('arguments, environment and paths are longer than 1 MiB');
  return concat([u32(body.length), body]);
}

function strings(list: readonly string[]): Uint8Array {
  return concat([u32(list.length), ...list.map(cString)]);
}

function size({ columns, rows }: TerminalSize): Uint8Array {
  return concat([u32(columns), u32(rows)]);
}

function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new RangeError('arguments, environment and paths cannot hold NUL');
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

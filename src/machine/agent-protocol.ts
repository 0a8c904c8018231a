/** Messages between host and the guest's agent; `docs/agent-protocol.md` defines them. */
import { TIMEBASE } from '../../emulator-wasm/layout.ts';
import { checkText } from '../options/check.ts';
import { OptionError } from '../options/option-error.mjs';
import { concat } from '../streams/concat.ts';
import { encodeBytes } from '../text/byte-text.ts';
import type { TerminalSize } from './terminal-size.ts';

export const PROTOCOL_VERSION = 7;
export const CONTROL_PORT = 1024;
export const STREAM_PORT = 1025;
/** Bytes of the secret that opens a stream of a process. The guest sends it first. */
export const TOKEN_SIZE = 16;
/** A process has streams for descriptors below this number. */
export const MAX_STREAMS = 4;
const LENGTH_SIZE = 4;
const MAX_LENGTH = 1 << 20;
const NAME_SIZE = 64;
export const MAX_PORT = 0xffff;

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
const STOP = 13;
const LIST_FOLDER = 14;
const STAT_FILE = 15;
const MAKE_FOLDER = 16;
const REMOVE_FILE = 17;
const RENAME_FILE = 18;
const STARTED = 19;
const NETWORK = 20;
const FORWARD = 21;
const KILL = 22;
const CHANNEL = 23;
const WATCH_FILE = 24;
const SUSPEND = 25;
const SUSPENDED = 26;
const RESUME = 27;
const EXPORT = 28;

/** Commands for a forwarder, and their size. */
const COMMAND_SIZE = 28;
const CONNECT = 1;
const CANCEL = 2;
const WATCH_PORTS = 3;
const IGNORE_PORTS = 4;
const ACCEPT = 5;
/** Events of a forwarder, and their size. */
const EVENT_SIZE = 12;
const REFUSED = 1;
const PORT_OPENED = 2;
const PORT_CLOSED = 3;

const RUN_CONSOLE = 1;
const WITH_TERMINAL = 1;
const WITH_INIT = 2;
const READ_ONLY = 4;
const KEPT = 8;
/** RESUME's random bytes. */
export const ENTROPY_SIZE = 32;
/** The guest's ticks are units of this time. */
const TICK_NANOSECONDS = 1_000_000_000 / TIMEBASE;
const TMPFS_FIELDS = 3;
const SAME_MODE = 0xffff_ffff;
const FOLLOW_LINK = 1;
const WITH_PARENTS = 1;
const RECURSIVE = 1;
const REPLACE = 1;
/** The first byte of the records of a watched file. */
export const FILE_RENAMED = 1;
export const FILE_CHANGED = 2;
/** The flag of a record of a file on which a file system is mounted. */
export const MOUNT_POINT = 1;
/** The numbers of a record of a file, before its name. */
export const RECORD_SIZE = 40;

/** For the test that compares them with those of `kernel/init/message.h`. */
export const CONSTANTS: Readonly<Record<string, number>> = {
  ...{
    PROTOCOL_VERSION,
    CONTROL_PORT,
    STREAM_PORT,
    TOKEN_SIZE,
    MAX_STREAMS,
    LENGTH_SIZE,
    MAX_LENGTH,
    NAME_SIZE,
  },
  ...{
    RUN,
    HELLO,
    EXIT,
    SIGNAL,
    POWEROFF,
    CONTAINER,
    RESIZE,
    EXEC,
    READ_FILE,
    WRITE_FILE,
    MEASURE,
    USAGE,
    STOP,
  },
  ...{
    LIST_FOLDER,
    STAT_FILE,
    MAKE_FOLDER,
    REMOVE_FILE,
    RENAME_FILE,
    STARTED,
    NETWORK,
    FORWARD,
    KILL,
    CHANNEL,
    WATCH_FILE,
    SUSPEND,
    SUSPENDED,
    RESUME,
    EXPORT,
  },
  ...{ COMMAND_SIZE, CONNECT, CANCEL, WATCH_PORTS, IGNORE_PORTS, ACCEPT },
  ...{ EVENT_SIZE, REFUSED, PORT_OPENED, PORT_CLOSED },
  ...{
    RUN_CONSOLE,
    WITH_TERMINAL,
    WITH_INIT,
    READ_ONLY,
    KEPT,
    TMPFS_FIELDS,
    SAME_MODE,
    ENTROPY_SIZE,
    TICK_NANOSECONDS,
  },
  ...{ FOLLOW_LINK, WITH_PARENTS, RECURSIVE, REPLACE, MOUNT_POINT, RECORD_SIZE, FILE_RENAMED, FILE_CHANGED },
};

/** A request for something with a process number, an EXIT, and streams. */
export interface ProcessRequest {
  /** The host's number for it. */
  readonly process: number;
  /** By descriptor, `TOKEN_SIZE` random bytes each: see `newTokens`. */
  readonly tokens: Uint8Array;
}

export interface RunRequest extends ProcessRequest {
  /** Program, found by PATH, and its arguments. */
  readonly args: readonly string[];
  /** `NAME=value` each. */
  readonly env: readonly string[];
  readonly directory: string;
  /** Run on the console (hvc0) as its controlling terminal, without streams. */
  readonly console: boolean;
}

/** A process of a container. */
export interface ContainedRequest extends ProcessRequest {
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

/** A temporary file system. */
export interface TmpfsMount {
  readonly path: string;
  /** Those of mount(2). */
  readonly flags: number;
  /** Linux's options of tmpfs, such as `size=1m`. */
  readonly options: string;
}

/** Serial numbers of the disk with a container's root file system and of the disk for its writes. */
export interface ContainerDisks {
  readonly image: string;
  readonly scratch: string;
}

/** A container and its first process, whose directory is made when it is missing. */
export interface ContainerRequest extends ContainedRequest {
  /** Letters, digits, _ and -, at most 63; no other container of that name may run. */
  readonly name: string;
  readonly disks: ContainerDisks;
  readonly hostname: string;
  /** Directories that are made when they are missing. */
  readonly volumes: readonly string[];
  /** PID 1 is an init of the agent's, and the process its child. */
  readonly init?: boolean | undefined;
  /** Paths of devices beside the usual ones. */
  readonly devices: readonly string[];
  /** The root file system is read-only. Volumes remain writable. */
  readonly readOnly?: boolean | undefined;
  /** The disk for its writes is kept: it holds earlier writes, and new ones survive a crash. */
  readonly kept?: boolean | undefined;
  /** Those below others come after them. */
  readonly tmpfs: readonly TmpfsMount[];
}

/** A further process in a container. */
export interface ExecRequest extends ContainedRequest {
  /** The container's name. */
  readonly container: string;
}

/** A file of a container. Its content or its records are on a stream of this process. */
export interface FileRequest extends ProcessRequest {
  /** The container's name. */
  readonly container: string;
  readonly path: string;
}

/** The changes of a container: of one that runs, by its name, or of one that does not, by its disks. */
export interface ExportRequest extends ProcessRequest {
  readonly changed: string | ContainerDisks;
}

/** A process that connects the host to TCP ports of a container. */
export interface ForwardRequest extends ProcessRequest {
  /** The container's name. */
  readonly container: string;
}

/** A process that connects clients in a container to the host. */
export interface ChannelRequest extends ForwardRequest {
  /** Of its socket: letters, digits, ., _ and -, at most 63. */
  readonly name: string;
}

export type ForwarderEvent =
  /** @param error Linux's number of the error */
  { type: 'refused'; connection: number; error: number } | { type: 'port'; port: number; open: boolean };

/** The configuration of the guest's network card. Addresses are IPv4, of 4 bytes in network order. */
export interface GuestNetwork {
  readonly guest: Uint8Array;
  /** The length of the network's prefix. */
  readonly prefix: number;
  readonly gateway: Uint8Array;
  readonly nameServer: Uint8Array;
}

/** What a guest needs before anything else goes on from a saved state. */
export interface Resumption {
  /** A tick of the guest's clock, and the time in nanoseconds since 1970 at that tick. */
  readonly tick: bigint;
  readonly time: bigint;
  /** `ENTROPY_SIZE` random bytes, which no other machine gets. */
  readonly entropy: Uint8Array;
}

/** In bytes and ms. */
export interface Usage {
  /** The machine's memory, without the kernel itself; available is what programs could have of it. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** The disk that the container writes to. */
  readonly disk: { readonly totalBytes: number; readonly usedBytes: number };
  /** Since the boot. Each CPU is idle for a time of its own, and this is their sum. */
  readonly cpu: { readonly uptime: number; readonly idle: number };
}

export type GuestMessage =
  | { type: 'hello'; version: number }
  /** The program of a container's process runs. */
  | { type: 'started'; process: number }
  | { type: 'usage'; usage: Usage }
  /** The processes of all containers are frozen. */
  | { type: 'suspended' }
  /** The reason is empty unless the process could not say it. */
  | { type: 'exit'; process: number; status: number; reason: string };

/** Unguessable tokens for a process's streams. */
export function newTokens(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(MAX_STREAMS * TOKEN_SIZE));
}

/** An unguessable token for the stream of a connection. */
export function newToken(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(TOKEN_SIZE));
}

/** @throws OptionError when a string holds NUL or the whole is longer than the protocol allows */
export function encodeRun(run: RunRequest): Uint8Array<ArrayBuffer> {
  return frame(
    RUN,
    head(run),
    Uint8Array.of(run.console ? RUN_CONSOLE : 0),
    strings(run.args),
    strings(run.env),
    cString(run.directory),
  );
}

/** @throws OptionError as `encodeRun` */
export function encodeContainer(request: ContainerRequest): Uint8Array<ArrayBuffer> {
  return frame(
    CONTAINER,
    head(request),
    ...[request.name, request.disks.image, request.disks.scratch].map(cString),
    contained(request, containerFlags(request)),
    cString(request.hostname),
    strings(request.volumes),
    strings(request.devices),
    strings(request.tmpfs.flatMap(({ path, flags, options }) => [path, `${flags}`, options])),
  );
}

function containerFlags({ init, readOnly, kept }: ContainerRequest): number {
  return (init ? WITH_INIT : 0) | (readOnly ? READ_ONLY : 0) | (kept ? KEPT : 0);
}

/** @throws OptionError as `encodeRun` */
export function encodeExec(request: ExecRequest): Uint8Array<ArrayBuffer> {
  return frame(EXEC, head(request), cString(request.container), contained(request));
}

/** @throws OptionError as `encodeRun` */
export function encodeReadFile(request: FileRequest): Uint8Array<ArrayBuffer> {
  return frame(READ_FILE, head(request), cString(request.container), cString(request.path));
}

/**
 * @param mode permissions; without them, those of the file that is replaced, or else 0644
 * @throws OptionError as `encodeRun`
 */
export function encodeWriteFile(request: FileRequest, mode = SAME_MODE): Uint8Array<ArrayBuffer> {
  return frame(WRITE_FILE, head(request), cString(request.container), u32(mode), cString(request.path));
}

/** @throws OptionError as `encodeRun` */
export function encodeListFolder(request: FileRequest): Uint8Array<ArrayBuffer> {
  return frame(LIST_FOLDER, head(request), cString(request.container), cString(request.path));
}

/**
 * @param followsLink whether a link at the end of the path is followed
 * @throws OptionError as `encodeRun`
 */
export function encodeStatFile(request: FileRequest, followsLink: boolean): Uint8Array<ArrayBuffer> {
  return flagged(STAT_FILE, request, followsLink && FOLLOW_LINK, cString(request.path));
}

/**
 * @param withParents makes missing parents too, and accepts a folder that exists
 * @throws OptionError as `encodeRun`
 */
export function encodeMakeFolder(
  request: FileRequest,
  mode: number,
  withParents: boolean,
): Uint8Array<ArrayBuffer> {
  return flagged(MAKE_FOLDER, request, withParents && WITH_PARENTS, u32(mode), cString(request.path));
}

/**
 * @param recursive removes a folder with its contents
 * @throws OptionError as `encodeRun`
 */
export function encodeRemoveFile(request: FileRequest, recursive: boolean): Uint8Array<ArrayBuffer> {
  return flagged(REMOVE_FILE, request, recursive && RECURSIVE, cString(request.path));
}

/**
 * @param replace replaces a file that has the new name
 * @throws OptionError as `encodeRun`
 */
export function encodeRenameFile(
  request: FileRequest,
  newPath: string,
  replace: boolean,
): Uint8Array<ArrayBuffer> {
  return flagged(RENAME_FILE, request, replace && REPLACE, cString(request.path), cString(newPath));
}

/**
 * @param recursive watches the folders below as well
 * @throws RangeError as `encodeRun`
 */
export function encodeWatchFile(request: FileRequest, recursive: boolean): Uint8Array<ArrayBuffer> {
  return flagged(WATCH_FILE, request, recursive && RECURSIVE, cString(request.path));
}

/** @throws OptionError as `encodeRun` */
export function encodeExport({ changed, ...request }: ExportRequest): Uint8Array<ArrayBuffer> {
  const fields = typeof changed === 'string' ? [changed, '', ''] : ['', changed.image, changed.scratch];
  return frame(EXPORT, head(request), ...fields.map(cString));
}

/** @param container its name */
export function encodeMeasure(container: string): Uint8Array<ArrayBuffer> {
  return frame(MEASURE, cString(container));
}

export function encodeResize(process: number, terminal: TerminalSize): Uint8Array<ArrayBuffer> {
  return frame(RESIZE, u32(process), size(terminal));
}

export function encodeSignal(process: number, signal: number): Uint8Array<ArrayBuffer> {
  return frame(SIGNAL, u32(process), u32(signal));
}

/** @param container its name */
export function encodeKill(process: number, container: string): Uint8Array<ArrayBuffer> {
  return frame(KILL, u32(process), cString(container));
}

export function encodeStop(process: number, signal: number): Uint8Array<ArrayBuffer> {
  return frame(STOP, u32(process), u32(signal));
}

export function encodePowerOff(): Uint8Array<ArrayBuffer> {
  return frame(POWEROFF);
}

export function encodeNetwork({ guest, prefix, gateway, nameServer }: GuestNetwork): Uint8Array<ArrayBuffer> {
  return frame(NETWORK, guest, gateway, nameServer, Uint8Array.of(prefix));
}

export function encodeSuspend(): Uint8Array<ArrayBuffer> {
  return frame(SUSPEND);
}

export function encodeResume({ tick, time, entropy }: Resumption): Uint8Array<ArrayBuffer> {
  if (entropy.length !== ENTROPY_SIZE) throw new RangeError('entropy of another size');
  return frame(RESUME, u64(tick), u64(time), entropy);
}

/** @throws OptionError as `encodeRun` */
export function encodeForward(request: ForwardRequest): Uint8Array<ArrayBuffer> {
  return frame(FORWARD, head(request), cString(request.container));
}

/** @throws RangeError as `encodeRun` */
export function encodeChannel(request: ChannelRequest): Uint8Array<ArrayBuffer> {
  return frame(CHANNEL, head(request), cString(request.container), cString(request.name));
}

/** @param connection the host's number for it */
export function encodeConnect(connection: number, port: number, token: Uint8Array): Uint8Array<ArrayBuffer> {
  return openingCommand(CONNECT, connection, port, token);
}

/** @param connection the host's number for the one to the next client */
export function encodeAccept(connection: number, token: Uint8Array): Uint8Array<ArrayBuffer> {
  return openingCommand(ACCEPT, connection, 0, token);
}

function openingCommand(type: number, connection: number, port: number, token: Uint8Array) {
  if (token.length !== TOKEN_SIZE) throw new RangeError('a token of another size');
  return concat([u32(type), u32(connection), u32(port), token]);
}

export function encodeCancel(connection: number): Uint8Array<ArrayBuffer> {
  return command(CANCEL, connection);
}

export function encodeWatchPorts(watched: boolean): Uint8Array<ArrayBuffer> {
  return command(watched ? WATCH_PORTS : IGNORE_PORTS);
}

function command(type: number, subject = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(COMMAND_SIZE);
  bytes.set(concat([u32(type), u32(subject)]));
  return bytes;
}

/** Cuts a forwarder's bytes into events. Those without a meaning are left out. */
export class ForwarderEventReader {
  #pending = new Uint8Array();

  *push(bytes: Uint8Array): Generator<ForwarderEvent, void> {
    const received = concat([this.#pending, bytes]);
    const view = new DataView(received.buffer);
    const complete = received.length - (received.length % EVENT_SIZE);
    this.#pending = received.slice(complete);
    for (let at = 0; at < complete; at += EVENT_SIZE) {
      const [type, subject] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      if (type === REFUSED) {
        yield { type: 'refused', connection: subject, error: view.getUint32(at + 8, true) };
      } else if ((type === PORT_OPENED || type === PORT_CLOSED) && subject > 0 && subject <= MAX_PORT) {
        yield { type: 'port', port: subject, open: type === PORT_OPENED };
      }
    }
  }
}

/** Cuts the guest's bytes into messages. */
export class MessageReader {
  #pending: Uint8Array<ArrayBuffer>;

  /** @param pending of another reader, which this one continues */
  constructor(pending: Uint8Array<ArrayBuffer> = new Uint8Array()) {
    this.#pending = pending;
  }

  /** The beginning of a message whose end has not come. */
  get pending(): Uint8Array<ArrayBuffer> {
    return this.#pending;
  }

  /** @throws RangeError when a message is longer or shorter than the protocol allows */
  push(bytes: Uint8Array): GuestMessage[] {
    const received = concat([this.#pending, bytes]);
    const view = new DataView(received.buffer);
    const messages: GuestMessage[] = [];
    let at = 0;
    while (received.length - at >= LENGTH_SIZE) {
      const length = view.getUint32(at, true);
      if (length > MAX_LENGTH || length < 1) throw new RangeError(`a message of ${length} bytes`);
      const end = at + LENGTH_SIZE + length;
      if (end > received.length) break;
      const payload = received.subarray(at + LENGTH_SIZE + 1, end);
      const message = decode(view.getUint8(at + LENGTH_SIZE), payload);
      if (message) messages.push(message);
      at = end;
    }
    this.#pending = received.slice(at);
    return messages;
  }
}

function decode(type: number, payload: Uint8Array): GuestMessage | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  switch (type) {
    case HELLO:
      return { type: 'hello', version: view.getUint32(0, true) };
    case STARTED:
      return { type: 'started', process: view.getUint32(0, true) };
    case EXIT:
      return {
        type: 'exit',
        process: view.getUint32(0, true),
        status: view.getUint32(4, true),
        reason: decodeString(payload.subarray(8)),
      };
    case USAGE:
      return { type: 'usage', usage: decodeUsage(view) };
    case SUSPENDED:
      return { type: 'suspended' };
    default:
      return undefined;
  }
}

/** @throws RangeError when its NUL is missing */
function decodeString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  if (end < 0) throw new RangeError('a string without its end');
  return new TextDecoder().decode(bytes.subarray(0, end));
}

function decodeUsage(view: DataView): Usage {
  const figure = (index: number) => Number(view.getBigUint64(index * 8, true));
  return {
    memory: { totalBytes: figure(0), availableBytes: figure(1) },
    disk: { totalBytes: figure(2), usedBytes: figure(3) },
    cpu: { uptime: figure(4), idle: figure(5) },
  };
}

function head({ process, tokens }: ProcessRequest): Uint8Array {
  if (tokens.length !== MAX_STREAMS * TOKEN_SIZE) throw new RangeError('tokens of another size');
  return concat([u32(process), tokens]);
}

function contained(request: ContainedRequest, flags = 0): Uint8Array {
  const { terminal, args, env, directory, user } = request;
  return concat([
    Uint8Array.of(flags | (terminal ? WITH_TERMINAL : 0)),
    size(terminal ?? { columns: 0, rows: 0 }),
    strings(args),
    strings(env),
    cString(directory),
    cString(user),
  ]);
}

function flagged(type: number, request: FileRequest, flag: number | false, ...fields: Uint8Array[]) {
  const flags = Uint8Array.of(flag || 0);
  return frame(type, head(request), cString(request.container), flags, ...fields);
}

function frame(type: number, ...payload: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat([Uint8Array.of(type), ...payload]);
  if (body.length > MAX_LENGTH)
    throw new OptionError('arguments, environment and paths are longer than 1 MiB');
  return concat([u32(body.length), body]);
}

function strings(list: readonly string[]): Uint8Array {
  return concat([u32(list.length), ...list.map(cString)]);
}

function size({ columns, rows }: TerminalSize): Uint8Array {
  return concat([u32(columns), u32(rows)]);
}

function cString(text: string): Uint8Array {
  checkText(text);
  if (text.includes('\0')) throw new OptionError('arguments, environment and paths cannot hold NUL');
  return encodeBytes(`${text}\0`);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

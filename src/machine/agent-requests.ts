/** What the host asks of the guest's agent; `docs/agent-protocol.md` defines the fields. */
import { checkText } from '../options/check.ts';
import { OptionError } from '../options/option-error.mjs';
import { concat } from '../streams/concat.ts';
import { encodeBytes } from '../text/byte-text.ts';
import {
  ACCEPT,
  CANCEL,
  CHANNEL,
  COMMAND_SIZE,
  CONNECT,
  CONTAINER,
  ENTROPY_SIZE,
  EXEC,
  EXPORT,
  FOLLOW_LINK,
  FORWARD,
  IGNORE_PORTS,
  KEPT,
  KILL,
  LIST_FOLDER,
  MAKE_FOLDER,
  MAX_LENGTH,
  MAX_STREAMS,
  MEASURE,
  NETWORK,
  POWEROFF,
  READ_FILE,
  READ_ONLY,
  RECURSIVE,
  REMOVE_FILE,
  RENAME_FILE,
  REPLACE,
  RESIZE,
  RESUME,
  RUN,
  RUN_CONSOLE,
  SAME_MODE,
  SIGNAL,
  STAT_FILE,
  STOP,
  SUSPEND,
  TOKEN_SIZE,
  WATCH_FILE,
  WATCH_PORTS,
  WITH_INIT,
  WITH_PARENTS,
  WITH_TERMINAL,
  WRITE_FILE,
} from './agent-codes.ts';
import type { TerminalSize } from './terminal-size.ts';

/** Of mount(2). */
const MS_RDONLY = 1;

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

/** A shared folder of the machine. */
export interface ShareMount {
  /** As `Machine.share` returns it. */
  readonly share: string;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Serial numbers of the disk with a container's root file system and of the disk for its writes. */
export interface ContainerDisks {
  readonly image: string;
  readonly scratch: string;
}

/** The emulator of the processor that the programs of a container are for. */
export interface ContainerEmulator {
  /** The serial number of the disk that it is on. */
  readonly disk: string;
  /** The number of the processor in the header of an ELF file, 1 to 255. */
  readonly machine: number;
}

/** A container and its first process, whose directory is made when it is missing. */
export interface ContainerRequest extends ContainedRequest {
  /** Letters, digits, _ and -, at most 63; no other container of that name may run. */
  readonly name: string;
  readonly disks: ContainerDisks;
  /** Without one, its programs are for the machine's own processor. */
  readonly emulator?: ContainerEmulator | undefined;
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
  readonly tmpfs: readonly TmpfsMount[];
  readonly shares?: readonly ShareMount[] | undefined;
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
    ...[request.name, request.disks.image, request.disks.scratch, request.emulator?.disk ?? ''].map(cString),
    Uint8Array.of(request.emulator?.machine ?? 0),
    contained(request, containerFlags(request)),
    cString(request.hostname),
    strings(request.volumes),
    strings(request.devices),
    strings(mountsOf(request).flat()),
  );
}

/** For each file system the name of a share or nothing, a path, flags, and options: parents come first. */
function mountsOf({ tmpfs, shares = [] }: ContainerRequest): string[][] {
  const mounts = [
    ...shares.map(({ share, path, readOnly }) => [share, path, `${readOnly ? MS_RDONLY : 0}`, '']),
    ...tmpfs.map(({ path, flags, options }) => ['', path, `${flags}`, options]),
  ];
  const depth = ([, path = '']: string[]) => path.split('/').length;
  return mounts.sort((a, b) => depth(a) - depth(b));
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

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONSTANTS, MAX_STREAMS, TOKEN_SIZE } from '../../../src/machine/agent-codes.ts';
import { MessageReader } from '../../../src/machine/agent-messages.ts';
import {
  type ContainedRequest,
  encodeChannel,
  encodeContainer,
  encodeExec,
  encodeExport,
  encodeForward,
  encodeKill,
  encodeListFolder,
  encodeMakeFolder,
  encodeMeasure,
  encodeNetwork,
  encodePowerOff,
  encodeReadFile,
  encodeRemoveFile,
  encodeRenameFile,
  encodeResize,
  encodeResume,
  encodeRun,
  encodeSignal,
  encodeStatFile,
  encodeStop,
  encodeSuspend,
  encodeWatchFile,
  encodeWriteFile,
  type FileRequest,
  type ProcessRequest,
} from '../../../src/machine/agent-requests.ts';
import { RecordReader } from '../../../src/machine/file-records.ts';

const RUNS = 60;
const INIT = join(import.meta.dirname, '..');
const SOURCES = ['test/receive.c', 'control.c', 'message.c', 'record.c', 'specification.c'].map((file) =>
  join(INIT, file),
);
const FLAGS = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
const HEADERS = ['errno.h', 'stdint.h', 'stdlib.h', 'string.h', 'unistd.h'].flatMap((file) => [
  '-include',
  file,
]);

let folder: string;
/** init's reader of the control stream, compiled for the host with checks of every memory access. */
let reader: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-init-'));
  reader = join(folder, 'receive');
  execFileSync('gcc', [...FLAGS, ...HEADERS, ...SOURCES, '-o', reader]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function receive(stream: Uint8Array): string[] {
  // The child that reads a malformed RUN ends, and its arrays with it.
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };
  const { status, stdout, stderr } = spawnSync(reader, { input: stream, encoding: 'latin1', env });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').slice(0, -1);
}

const word = fc.stringMatching(/^[a-z/=]{0,12}$/);
const u32 = fc.nat(0xffff_ffff);
const tokensSize = MAX_STREAMS * TOKEN_SIZE;
const head = { process: u32, tokens: fc.uint8Array({ minLength: tokensSize, maxLength: tokensSize }) };
const headLine = ({ process, tokens }: ProcessRequest) => [process, Buffer.from(tokens).toString('hex')];
const bracketed = (words: readonly string[]) => words.map((word) => `[${word}]`);
const run = fc
  .record({
    ...head,
    args: fc.array(word),
    env: fc.array(word),
    directory: word,
    console: fc.boolean(),
  })
  .map((request) => ({
    bytes: encodeRun(request),
    line: [
      '1',
      ...headLine(request),
      Number(request.console),
      ...bracketed([...request.args, ...request.env]),
    ]
      .concat(request.directory)
      .join(' '),
  }));
const contained = {
  ...head,
  args: fc.array(word, { minLength: 1 }),
  env: fc.array(word),
  directory: word,
  user: word,
  terminal: fc.option(fc.record({ columns: u32, rows: u32 }), { nil: undefined }),
};
const containedLine = ({ terminal, args, env, directory, user }: ContainedRequest, flags = 0) => [
  ...[flags + (terminal ? 1 : 0), terminal?.columns ?? 0, terminal?.rows ?? 0],
  ...bracketed([...args, ...env]),
  ...[directory, user],
];
const disks = fc.record({ image: word, scratch: word });
const emulator = fc.option(fc.record({ disk: word, machine: fc.integer({ min: 1, max: 255 }) }), {
  nil: undefined,
});
const container = fc
  .record({
    ...contained,
    name: word,
    disks,
    emulator,
    hostname: word,
    volumes: fc.array(word),
    devices: fc.array(word),
    init: fc.boolean(),
    readOnly: fc.boolean(),
    kept: fc.boolean(),
    tmpfs: fc.array(fc.record({ path: word, flags: u32, options: word })),
    shares: fc.array(fc.record({ share: word, path: word, readOnly: fc.boolean() })),
  })
  .map((request) => ({
    bytes: encodeContainer(request),
    line: [
      '6',
      ...headLine(request),
      ...[request.name, request.disks.image, request.disks.scratch],
      ...[`[${request.emulator?.disk ?? ''}]`, request.emulator?.machine ?? 0],
      ...containedLine(request, (request.init ? 2 : 0) + (request.readOnly ? 4 : 0) + (request.kept ? 8 : 0)),
      request.hostname,
      ...bracketed(request.volumes),
      ...bracketed(request.devices),
      ...[
        ...request.shares.map(({ share, path, readOnly }) => [share, path, readOnly ? '1' : '0', '']),
        ...request.tmpfs.map(({ path, flags, options }) => ['', path, `${flags}`, options]),
      ]
        .sort(([, a = ''], [, b = '']) => a.split('/').length - b.split('/').length)
        .flatMap((fields) => bracketed(fields)),
    ].join(' '),
  }));
const exec = fc.record({ ...contained, container: word }).map((request) => ({
  bytes: encodeExec(request),
  line: ['8', ...headLine(request), request.container, ...containedLine(request)].join(' '),
}));
const file = { ...head, container: word, path: word };
const fileLine = (type: number, request: FileRequest, ...fields: unknown[]) =>
  [type, ...headLine(request), request.container, ...fields].join(' ');
const reading = fc.record(file).map((request) => ({
  bytes: encodeReadFile(request),
  line: fileLine(9, request, request.path),
}));
const writing = fc.record({ ...file, mode: u32 }).map(({ mode, ...request }) => ({
  bytes: encodeWriteFile(request, mode),
  line: fileLine(10, request, mode, request.path),
}));
const listing = fc.record(file).map((request) => ({
  bytes: encodeListFolder(request),
  line: fileLine(14, request, request.path),
}));
const status = fc.record({ ...file, flag: fc.boolean() }).map(({ flag, ...request }) => ({
  bytes: encodeStatFile(request, flag),
  line: fileLine(15, request, Number(flag), request.path),
}));
const making = fc.record({ ...file, flag: fc.boolean(), mode: u32 }).map(({ flag, mode, ...request }) => ({
  bytes: encodeMakeFolder(request, mode, flag),
  line: fileLine(16, request, Number(flag), mode, request.path),
}));
const removal = fc.record({ ...file, flag: fc.boolean() }).map(({ flag, ...request }) => ({
  bytes: encodeRemoveFile(request, flag),
  line: fileLine(17, request, Number(flag), request.path),
}));
const renaming = fc.record({ ...file, flag: fc.boolean(), to: word }).map(({ flag, to, ...request }) => ({
  bytes: encodeRenameFile(request, to, flag),
  line: fileLine(18, request, Number(flag), request.path, to),
}));
const watching = fc.record({ ...file, flag: fc.boolean() }).map(({ flag, ...request }) => ({
  bytes: encodeWatchFile(request, flag),
  line: fileLine(24, request, Number(flag), request.path),
}));
const exporting = fc
  .record({ ...head, changed: fc.oneof(word, fc.record({ image: word, scratch: word })) })
  .map((request) => {
    const { changed } = request;
    const fields = typeof changed === 'string' ? [changed, '', ''] : ['', changed.image, changed.scratch];
    return {
      bytes: encodeExport(request),
      line: [28, ...headLine(request), ...fields].join(' '),
    };
  });
const fileRequest = fc.oneof(
  exporting,
  reading,
  writing,
  listing,
  status,
  making,
  removal,
  renaming,
  watching,
);
const measure = word.map((container) => ({ bytes: encodeMeasure(container), line: `11 ${container}` }));
const signal = u32.map((process) => ({ bytes: encodeSignal(process, 15), line: `4 ${process} 15` }));
const stop = u32.map((process) => ({ bytes: encodeStop(process, 15), line: `13 ${process} 15` }));
const kill = fc.record({ process: u32, container: word }).map(({ process, container }) => ({
  bytes: encodeKill(process, container),
  line: `22 ${process} ${container}`,
}));
const resize = fc.record({ process: u32, columns: u32, rows: u32 }).map(({ process, columns, rows }) => ({
  bytes: encodeResize(process, { columns, rows }),
  line: ['7', process, columns, rows].join(' '),
}));
/** An IPv4 address, in network byte order on both sides. */
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const network = fc
  .record({ guest: ipv4, prefix: fc.nat(40), gateway: ipv4, nameServer: ipv4 })
  .map(({ prefix, ...addresses }) => ({
    bytes: encodeNetwork({ prefix, ...addresses }),
    line:
      prefix > 0 && prefix <= 32
        ? [
            '20',
            ...[addresses.guest, addresses.gateway, addresses.nameServer].map((address) =>
              Buffer.from(address).readUInt32LE(),
            ),
            prefix,
          ].join(' ')
        : '20 malformed',
  }));
const suspension = fc.constant({ bytes: encodeSuspend(), line: '25' });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const resumption = fc
  .record({ tick: u64, time: u64, entropy: fc.uint8Array({ minLength: 32, maxLength: 32 }) })
  .map((request) => ({
    bytes: encodeResume(request),
    line: `27 ${request.tick} ${request.time} ${Buffer.from(request.entropy).toString('hex')}`,
  }));
const forwarding = fc.record({ ...head, container: word }).map((request) => ({
  bytes: encodeForward(request),
  line: ['21', ...headLine(request), request.container].join(' '),
}));
const channel = fc.record({ ...head, container: word, name: word }).map((request) => ({
  bytes: encodeChannel(request),
  line: ['23', ...headLine(request), request.container, request.name].join(' '),
}));
const unknown = fc.constant({ bytes: Uint8Array.of(3, 0, 0, 0, 200, 1, 2), line: '200' });
const powerOff = fc.constant({ bytes: encodePowerOff(), line: '5' });
const message = fc.oneof(
  ...[
    run,
    container,
    exec,
    fileRequest,
    measure,
    forwarding,
    channel,
    signal,
    stop,
    kill,
    resize,
    network,
    suspension,
    resumption,
    unknown,
    powerOff,
  ],
);

/** The constants of init's side of the protocol. */
function constantsOf(header: string): string[] {
  const enumerations = [...header.matchAll(/enum[^{;]*\{([^}]*)\}/g)].map(([, body = '']) => body);
  return enumerations.flatMap((body) => [...body.matchAll(/(\w+) *=/g)].map(([, name = '']) => name));
}

test('both sides have the same constants', () => {
  const names = constantsOf(readFileSync(join(INIT, 'message.h'), 'utf8'));
  const source = join(folder, 'constants.c');
  const lines = names.map((name) => `\tprintf("%u\\n", (unsigned)${name});`);
  writeFileSync(
    source,
    `#include <stdio.h>\n#include "message.h"\nint main(void)\n{\n${lines.join('\n')}\n}\n`,
  );
  const program = join(folder, 'constants');
  execFileSync('gcc', [...HEADERS, `-I${INIT}`, source, '-o', program]);
  const values = execFileSync(program, { encoding: 'utf8' }).split('\n').map(Number);
  expect(Object.fromEntries(names.map((name, index) => [name, values[index]]))).toEqual(CONSTANTS);
});

test('the host understands every message of init', () => {
  const messages = new MessageReader().push(execFileSync(reader, ['send']));
  expect(messages).toEqual([
    { type: 'hello', version: CONSTANTS.PROTOCOL_VERSION },
    { type: 'started', process: 7 },
    { type: 'exit', process: 7, status: 129, reason: '' },
    { type: 'exit', process: 0xffff_ffff, status: 126, reason: 'too many processes' },
    {
      type: 'usage',
      usage: {
        memory: { totalBytes: 2 ** 32, availableBytes: 1 },
        disk: { totalBytes: 2, usedBytes: 3 },
        cpu: { uptime: 4, idle: 5 },
      },
    },
    { type: 'suspended' },
  ]);
});

test('the host understands every record of init', () => {
  const records = new RecordReader();
  expect(records.push(execFileSync(reader, ['records']))).toEqual([
    {
      name: 'file',
      type: 'file',
      mode: 0o4755,
      size: 2 ** 40,
      mtime: new Date('2026-11-28T07:00:00.123Z'),
      uid: 1000,
      gid: 0xffff_ffff,
      isMountPoint: true,
    },
    {
      name: '\udcff\n',
      type: 'symlink',
      mode: 0o777,
      size: 3,
      mtime: new Date(-1000),
      uid: 0,
      gid: 0,
      isMountPoint: false,
      target: { path: '../', type: 'directory' },
    },
  ]);
  records.end();
});

test('init understands every message of the host', () => {
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      const lines = receive(Buffer.concat(messages.map(({ bytes }) => bytes)));
      expect(lines).toEqual([...messages.map(({ line }) => line), 'closed']);
    }),
    { numRuns: RUNS },
  );
});

test('a frame of 1 MiB is read, and an empty or larger one ends the stream', () => {
  const frame = (length: number) => {
    const bytes = new Uint8Array(4 + length);
    new DataView(bytes.buffer).setUint32(0, length, true);
    bytes[4] = 200;
    return bytes;
  };
  expect(receive(Buffer.concat([frame(1 << 20), frame(1)]))).toEqual(['200', '200', 'closed']);
  expect(receive(frame((1 << 20) + 1))).toEqual(['closed']);
  expect(receive(Uint8Array.of(0, 0, 0, 0, ...encodePowerOff()))).toEqual(['closed']);
  expect(receive(Uint8Array.of(255, 255, 255, 255, 5))).toEqual(['closed']);
});

test('fields longer than their message are detected, and never read past its end', () => {
  const broken = fc.record({
    message: fc.oneof(run, container, exec, fileRequest, network, resumption),
    at: fc.nat(),
    value: fc.nat(255),
    cut: fc.nat(30),
  });
  fc.assert(
    fc.property(broken, ({ message, at, value, cut }) => {
      const body = message.bytes.slice(4, Math.max(5, message.bytes.length - cut));
      if (body.length > 1) body[1 + (at % (body.length - 1))] = value;
      const header = new Uint8Array(4);
      new DataView(header.buffer).setUint32(0, body.length, true);
      const lines = receive(Buffer.concat([header, body, encodePowerOff()]));
      expect(lines.slice(-2)).toEqual(['5', 'closed']);
    }),
    { numRuns: RUNS },
  );
});

test('arbitrary bytes are harmless', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(receive(bytes).at(-1)).toBe('closed');
    }),
    { numRuns: RUNS },
  );
});

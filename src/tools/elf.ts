import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RAM_START } from '../../emulator-wasm/layout.ts';
import { PUBLIC, write } from '../cli/program.ts';
import { USAGE } from '../cli/usage.mjs';
import { parseElf } from '../machine/elf.ts';
import { MachineError } from '../machine/errors.ts';
import { describeExit, Machine, type MachineExit } from '../machine/machine.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { parseMachineSize, parseNumber, UsageError } from './options.ts';
import { readInput, runProgram } from './program.ts';

const STATUS_TIMEOUT = 124;
const STATUS_MAX = 255;
/** The limit of a timer, in ms. */
const MAX_DELAY = 2 ** 31 - 1;

/** Runs a bare-metal program. Returns 0 when it passes, else the code it fails with. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      timeout: { type: 'string' },
      instret: { type: 'boolean', default: false },
      cpus: { type: 'string', default: '1' },
      memory: { type: 'string', default: '128M' },
      'dump-signature': { type: 'string' },
    },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('give the file of one program');
  const size = parseMachineSize(
    { name: '--cpus', text: values.cpus },
    { name: '--memory', text: values.memory },
  );
  const timeout = values.timeout === undefined ? Infinity : parseNumber('--timeout', values.timeout);
  const elf = await readInput(file);
  const signature = values['dump-signature'] === undefined ? undefined : signatureRange(elf);

  const platform = nodePlatform(PUBLIC);
  const emulator = await platform.loadEmulator();
  const onConsole = (bytes: Uint8Array) => write(process.stdout, bytes);
  const machine = await Machine.start(platform, { ...size, emulator, elf, onConsole });
  const timer = setTimeout(() => machine.stop(), Math.min(timeout * 1000, MAX_DELAY));
  const exit = await machine.exit;
  clearTimeout(timer);

  if (values.instret) await reportSpeed(machine, exit);
  if (exit.reason === 'stop') {
    await write(process.stderr, `elf: timed out after ${timeout} s\n`);
    return STATUS_TIMEOUT;
  }
  if (signature && values['dump-signature']) {
    await writeFile(values['dump-signature'], formatSignature(machine.ram, signature));
  }
  const status = statusOf(exit);
  if (status !== 0) await write(process.stderr, `elf: ${describeExit(exit)}\n`);
  return status;
}

function statusOf({ reason, code }: MachineExit): number {
  if (reason === 'poweroff') return 0;
  if (reason !== 'fail') return 1;
  return Math.min(Math.max(code, 1), STATUS_MAX);
}

async function reportSpeed(machine: Machine, { seconds }: MachineExit): Promise<void> {
  const instructions = machine.stats().instructions.reduce((sum, each) => sum + each, 0);
  const mips = instructions / seconds / 1e6;
  await write(
    process.stderr,
    `${instructions} instructions retired in ${seconds.toFixed(3)} s, ${mips.toFixed(1)} MIPS\n`,
  );
}

interface SignatureRange {
  readonly begin: bigint;
  readonly end: bigint;
}

/** The results of a program of RISC-V's architecture tests. */
function signatureRange(file: Uint8Array): SignatureRange {
  const elf = parseElf(file);
  const [begin, end] = [elf.symbol('begin_signature'), elf.symbol('end_signature')];
  if (begin === undefined || end === undefined || begin > end) {
    throw new MachineError('the program has no symbols begin_signature and end_signature');
  }
  return { begin, end };
}

/** Each word as a line of 8 hexadecimal digits. */
function formatSignature(ram: Uint8Array, { begin, end }: SignatureRange): string {
  const start = Number(begin - BigInt(RAM_START));
  const length = Number(end - begin) & ~3;
  if (start < 0 || start + length > ram.length) throw new MachineError('the signature lies outside of RAM');
  const view = new DataView(ram.buffer, ram.byteOffset + start, length);
  let text = '';
  for (let at = 0; at < length; at += 4)
    text += `${view.getUint32(at, true).toString(16).padStart(8, '0')}\n`;
  return text;
}

await runProgram('elf', USAGE.elf, main);

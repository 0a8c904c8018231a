import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { printJitStats } from '../cli/jit-stats.ts';
import { PUBLIC, write } from '../cli/program.ts';
import { USAGE } from '../cli/usage.mjs';
import { MachineError } from '../machine/errors.ts';
import { describeExit, type GuestProcess, Machine, type MachineExit } from '../machine/machine.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { parseJit } from '../options/jit.mjs';
import { interact } from './console.ts';
import { type Given, parseMachineSize, UsageError } from './options.ts';
import { readInput, runProgram } from './program.ts';
import { printReport } from './report.ts';

/** How long the kernel may take to start PID 1, in ms. */
const BOOT_PATIENCE = 60_000;
/** How long a machine whose parts fail may take to end, in ms. */
const END_PATIENCE = 2000;
const ENVIRONMENT = { HOME: '/', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const UNAME = ['/bin/busybox', 'uname', '-a'];
const SHELL = ['/bin/busybox', 'sh'];

interface Options {
  readonly trace: boolean;
  readonly stats: boolean;
  readonly jitStats: boolean;
  readonly report: boolean;
  readonly command: readonly string[] | undefined;
}

/** Boots Linux and runs a command in it. Returns the command's status. */
async function main(args: string[]): Promise<number> {
  const { machine, options } = await start(args);
  try {
    const status = await runCommand(machine, options).catch((error) => explainFailure(machine, error));
    machine.powerOff();
    const exit = await machine.exit;
    if (options.stats) await printStats(machine, exit);
    if (options.jitStats) await printJitStats(machine.stats());
    return status;
  } finally {
    await machine.stop();
  }
}

/** The end of a machine breaks all its streams. Then the error to report is its end. */
async function explainFailure(machine: Machine, error: unknown): Promise<never> {
  const exit = await Promise.race([machine.exit, delay(END_PATIENCE)]);
  throw exit ? new MachineError(describeExit(exit)) : error;
}

async function start(args: string[]): Promise<{ machine: Machine; options: Options }> {
  // The options after --exec are the command's.
  const exec = args.indexOf('--exec');
  const command = exec < 0 ? undefined : args.slice(exec + 1);
  const { values } = parseArgs({
    args: exec < 0 ? args : args.slice(0, exec),
    options: {
      cpus: { type: 'string' },
      memory: { type: 'string' },
      kernel: { type: 'string' },
      initrd: { type: 'string' },
      append: { type: 'string', default: '' },
      icount: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      jit: { type: 'string', default: 'hot' },
      stats: { type: 'boolean', default: false },
      'jit-stats': { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
    },
  });
  if (command?.length === 0 || (command && values.report))
    throw new UsageError('--exec needs a command, and no --report');
  const size = parseMachineSize(given('cpus', values.cpus, '1'), given('memory', values.memory, '256M'));
  const platform = nodePlatform(PUBLIC);
  const load = (file: string | undefined, standard: string) =>
    file === undefined ? platform.loadFile(standard) : readInput(file);
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    load(values.kernel, size.cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    load(values.initrd, 'kernel/initramfs.cpio'),
  ]);
  const { trace, stats, report, 'jit-stats': jitStats } = values;
  const jit = parseJit(values.jit);
  // Only the output of a command or the report goes to stdout.
  const alone = command !== undefined || report;
  const consoleOutput = alone ? process.stderr : process.stdout;
  const machine = await Machine.start(platform, {
    ...size,
    emulator,
    kernel,
    initrd,
    icount: values.icount,
    jit,
    commandLine: alone ? `quiet ${values.append}` : values.append,
    onConsole: (bytes) => write(consoleOutput, bytes),
    ...(trace && { onTrace: (bytes: Uint8Array) => write(process.stderr, bytes) }),
  });
  return { machine, options: { trace, stats, jitStats, report, command } };
}

/** An option, or else the variable of the same meaning. */
function given(option: string, text: string | undefined, standard: string): Given {
  const variable = `LINUXRUN_${option.toUpperCase()}`;
  const byVariable = process.env[variable];
  if (text === undefined && byVariable) return { name: variable, text: byVariable };
  return { name: `--${option}`, text: text ?? standard };
}

async function runCommand(machine: Machine, { trace, report, command }: Options): Promise<number> {
  await booted(machine, trace);
  if (report) return printReport(machine);
  if (command) return pipe(machine.run({ args: command, env: ENVIRONMENT }), process.stdin);
  if (process.stdin.isTTY) return interact(machine, SHELL, ENVIRONMENT);
  return pipe(machine.run({ args: UNAME, env: ENVIRONMENT }));
}

/** A damaged kernel may run forever without output. */
async function booted(machine: Machine, trace: boolean): Promise<void> {
  if (trace) return void (await machine.booted);
  const timer = new AbortController();
  const timeout = delay(BOOT_PATIENCE, undefined, { signal: timer.signal });
  const figures = await Promise.race([machine.booted, timeout]).finally(() => timer.abort());
  if (!figures) throw new MachineError(`the kernel has not started PID 1 within ${BOOT_PATIENCE / 1000} s`);
}

/** Connects a process to the standard streams until it ends. */
async function pipe(process_: GuestProcess, stdin?: NodeJS.ReadStream): Promise<number> {
  if (stdin) {
    // A process that ends without reading all of its input is no error.
    (Readable.toWeb(stdin) as ReadableStream<Uint8Array>).pipeTo(process_.stdin).catch(() => {});
  } else {
    await process_.stdin.close();
  }
  const [status] = await Promise.all([
    process_.exit,
    copy(process_.stdout, process.stdout),
    copy(process_.stderr, process.stderr),
  ]);
  return status;
}

async function copy(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<void> {
  for await (const bytes of from) await write(to, bytes);
}

async function printStats(machine: Machine, { seconds }: MachineExit): Promise<void> {
  const boot = await machine.booted;
  const { instructions } = machine.stats();
  const total = instructions.reduce((sum, each) => sum + each, 0);
  const lines = [
    `PID 1 after ${boot.instructions} instructions, ${boot.seconds.toFixed(3)} s`,
    `${total} instructions retired (${instructions.join(' + ')}), ${(total / seconds / 1e6).toFixed(1)} MIPS`,
  ];
  await write(process.stderr, `${lines.join('\n')}\n`);
}

await runProgram('boot', USAGE.boot, main);

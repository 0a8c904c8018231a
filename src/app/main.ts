import type { Terminal } from '@xterm/xterm';
import { MachineError } from '../machine/errors.ts';
import { Machine, type MachineExit } from '../machine/machine.ts';
import { browserPlatform } from '../machine/platform/browser.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { type PageOptions, parseOptions } from './options.ts';
import { showProblem } from './problem.ts';
import { showSpeed, showStatus } from './status.ts';
import { findObstacle } from './support.ts';
import { openTerminal } from './terminal.ts';

const SHELL = {
  args: ['sh', '-l'],
  env: { TERM: 'xterm-256color', HOME: '/', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
};

const ENDS: Record<MachineExit['reason'], string> = {
  poweroff: 'powered off',
  reboot: 'ended by a reboot',
  fail: 'failed',
  stop: 'stopped',
};

function refuse(title: string, text: string): void {
  showProblem(title, text);
  showStatus('Not started');
}

async function loadKernel(platform: Platform, cpus: number): Promise<Uint8Array> {
  if (cpus === 1) return platform.loadFile('kernel/Image');
  return platform.loadFile('kernel/Image-smp').catch((error: Error) => {
    const hint =
      'npm start builds the kernel for several CPUs after the first one: try again in a few minutes';
    throw new MachineError(`${error.message} (${hint})`);
  });
}

async function startMachine(
  options: PageOptions,
  onConsole: (bytes: Uint8Array) => Promise<void>,
): Promise<Machine> {
  showStatus('loading…', options);
  const platform = browserPlatform(new URL('.', location.href));
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    loadKernel(platform, options.cpus),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  showStatus('booting…', options);
  const { cpus, memory: memoryBytes } = options;
  return Machine.start(platform, {
    ...{ emulator, kernel, initrd, cpus, memoryBytes },
    ...{ onConsole, commandLine: 'quiet' },
  });
}

function connect(terminal: Terminal, machine: Machine): void {
  const send = (bytes: Uint8Array) => machine.write(bytes).catch(() => {}); // typed after the end
  const encoder = new TextEncoder();
  terminal.onData((text) => send(encoder.encode(text)));
  terminal.onBinary((text) => send(Uint8Array.from(text, (character) => character.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => machine.resize(cols, rows));
  machine.resize(terminal.cols, terminal.rows);
  terminal.focus();
}

async function runShell(options: PageOptions): Promise<void> {
  const terminal = openTerminal(document.querySelector('#terminal') as HTMLElement);
  const write = (bytes: Uint8Array) => new Promise<void>((resolve) => terminal.write(bytes, resolve));
  const machine = await startMachine(options, write);
  connect(terminal, machine);
  const hideSpeed = showSpeed(machine);

  const ended = () => {}; // how the machine ended is told below
  machine.booted.then(({ seconds }) => showStatus(`booted in ${seconds.toFixed(2)} s`, options), ended);
  machine.runOnConsole(SHELL).exit.then(() => machine.powerOff(), ended);

  const exit = await machine.exit.finally(hideSpeed);
  terminal.options.disableStdin = true;
  if (exit.reason === 'fail') showProblem('The machine failed', `The guest gave up with code ${exit.code}.`);
  showStatus(`${ENDS[exit.reason]} – reload the page to start again`, options);
}

async function main(): Promise<void> {
  const obstacle = findObstacle(globalThis);
  if (obstacle) return refuse(obstacle.title, obstacle.text);
  let options: PageOptions;
  try {
    options = parseOptions(location.search);
  } catch (error) {
    return refuse('This machine cannot be built', (error as Error).message);
  }
  try {
    await runShell(options);
  } catch (error) {
    showProblem('The machine stopped', (error as Error).message);
    showStatus('Stopped');
  }
}

void main();

import { Machine, type MachineExit } from '../machine/machine.ts';
import { browserPlatform } from '../machine/platform/browser.ts';
import { type PageOptions, parseOptions } from './options.ts';
import { showProblem } from './problem.ts';
import { followMachine, showStatus, summarize } from './status.ts';
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

async function startMachine(
  options: PageOptions,
  onConsole: (bytes: Uint8Array) => Promise<void>,
): Promise<Machine> {
  showStatus(...summarize(options), 'loading…');
  const platform = browserPlatform(new URL('.', location.href));
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(options.cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp'),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
  showStatus(...summarize(options), 'booting…');
  const { cpus, memory: memoryBytes } = options;
  return Machine.start(platform, {
    emulator,
    kernel,
    initrd,
    cpus,
    memoryBytes,
    onConsole,
    commandLine: 'quiet',
  });
}

async function runShell(options: PageOptions): Promise<void> {
  const terminal = openTerminal(document.querySelector('#terminal') as HTMLElement);
  const write = (bytes: Uint8Array) => new Promise<void>((resolve) => terminal.write(bytes, resolve));
  const machine = await startMachine(options, write);
  const unfollow = followMachine(machine, options);

  const send = (bytes: Uint8Array) => machine.write(bytes).catch(() => {}); // typed after the end
  const encoder = new TextEncoder();
  terminal.onData((text) => send(encoder.encode(text)));
  terminal.onBinary((text) => send(Uint8Array.from(text, (character) => character.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => machine.resize(cols, rows));
  machine.resize(terminal.cols, terminal.rows);
  terminal.focus();

  const shell = machine.runOnConsole(SHELL);
  shell.exit.then(() => machine.powerOff()).catch(() => {}); // when the machine ended first

  const exit = await machine.exit.finally(unfollow);
  terminal.options.disableStdin = true;
  terminal.options.cursorBlink = false;
  if (exit.reason === 'fail') showProblem('The machine failed', `The guest gave up with code ${exit.code}.`);
  showStatus(...summarize(options), `${ENDS[exit.reason]} – reload the page to start again`);
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

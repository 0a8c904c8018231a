/** The program of `./run.sh`: runs the container that the LINUXRUN_ variables describe. */
import { runMain } from './main.ts';
import { PUBLIC } from './program.ts';
import { runContainer } from './run-container.ts';
import { readFlags, readOptions } from './run-options.mjs';
import { hasTerminal, terminalOptions } from './terminal.ts';

function main(args: string[]): Promise<number> {
  const { jit, jitStats, ...flags } = readFlags(args);
  const given = readOptions(process.env, PUBLIC);
  return runContainer({
    options: {
      ...given,
      jit,
      ports: [...given.ports, ...flags.ports],
      devices: [...given.devices, ...flags.devices],
      init: flags.init || given.init,
    },
    memoryOption: 'LINUXRUN_MEMORY',
    terminal: hasTerminal() ? terminalOptions() : undefined,
    input: hasTerminal() ? 'keyboard' : 'bytes',
    isAttached: true,
    policy: 'missing',
    showsProgress: true,
    jitStats,
  });
}

await runMain(main, { title: 'LINUXRUN_IMAGE: ', option: 'LINUXRUN_IMAGE=' });

/** The program of `./run.sh`: runs the container that the LINUXRUN_ variables describe. */
import { runMain } from './main.ts';
import { PUBLIC } from './program.ts';
import { type Input, runContainer, type Witness } from './run-container.ts';
import { readFlags, readOptions } from './run-options.mjs';
import { hasTerminal, terminalOptions } from './terminal.ts';

async function main(args: string[]): Promise<number> {
  const { jit, jitStats, ...flags } = readFlags(args);
  const given = readOptions(process.env, PUBLIC);
  const { name } = given;
  const snapshot = flags.snapshot ?? given.snapshot;
  return runContainer({
    options: {
      ...given,
      jit,
      ports: [...given.ports, ...flags.ports],
      devices: [...given.devices, ...flags.devices],
      mounts: [...given.mounts, ...flags.mounts],
      init: flags.init || given.init,
      platform: flags.platform ?? given.platform,
    },
    name,
    startsAgain: await startsAgain(name),
    snapshot,
    memoryOption: 'LINUXRUN_MEMORY',
    terminal: hasTerminal() ? terminalOptions() : undefined,
    input: inputOf(snapshot),
    isAttached: true,
    policy: 'missing',
    showsProgress: true,
    jitStats,
    witness: name === undefined ? undefined : await witnessOf(name),
  });
}

/** The session of a file says itself whether it has a terminal. */
function inputOf(snapshot: string | undefined): Input {
  if (snapshot !== undefined) return 'attached';
  return hasTerminal() ? 'keyboard' : 'bytes';
}

/** Without an image, the name of a kept container says all. */
async function startsAgain(name: string | undefined): Promise<boolean> {
  const { LINUXRUN_IMAGE: image = '' } = process.env;
  return name !== undefined && image === '' && (await import('./kept.ts')).isKept(name);
}

/** Other commands reach a container that is kept. */
async function witnessOf(name: string): Promise<Witness> {
  const { OwningWitness } = await import('./owning-witness.ts');
  return new OwningWitness({
    name,
    image: process.env.LINUXRUN_IMAGE,
    interactive: true,
    isInBackground: false,
  });
}

void runMain(main, { title: 'LINUXRUN_IMAGE: ', option: 'LINUXRUN_IMAGE=' });

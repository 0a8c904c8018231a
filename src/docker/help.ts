/** The help of `linuxrun` and of `new Command('docker')`. */
import { COMMANDS, type CommandHelp, type CommandName } from './commands.ts';
import { nameOf } from './flags.ts';

/** The help of all commands. */
export function helpOfAll(program: string): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary }]): [string, string] => [name, summary]);
  return [
    `usage: ${program} COMMAND [OPTIONS]`,
    '',
    'Runs Linux containers on an emulated RISC-V machine, with the words of Docker.',
    '',
    ...columns([...commands, ['help', 'show this, or with the name of a command its flags']]),
    '',
  ].join('\n');
}

/** The help of a command. */
export function helpOf(program: string, name: CommandName): string {
  const { usage, summary, flags }: CommandHelp = COMMANDS[name];
  const shown = flags.filter(({ help }) => help !== undefined);
  const lines = columns(
    shown.map((flag) => {
      const written = `${flag.short ? '' : '    '}${nameOf(flag)}`;
      return [flag.value ? `${written} ${flag.value}` : written, flag.help ?? ''];
    }),
  );
  return [`usage: ${program} ${name} ${usage}`, '', `${name}: ${summary}.`, '', ...lines, ''].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

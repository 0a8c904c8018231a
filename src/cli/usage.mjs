/**
 * The arguments of the programs that have no help of their own. It is text because the set-up reads it too.
 */
export const USAGE = {
  boot:
    'npm run boot -- [--cpus N] [--memory 256M] [--kernel FILE] [--initrd FILE] [--append TEXT] [--icount] ' +
    '[--jit hot|off|all] [--trace] [--stats] [--jit-stats] [--report | --exec COMMAND ARGUMENT…]',
  elf: 'npm run elf -- FILE [--timeout SECONDS] [--instret] [--cpus N] [--memory 128M] [--dump-signature FILE]',
  bench: 'npm run bench -- [SECTION | WORKLOAD]… [--repeat N] [--wasm PATH]',
  fuzz: 'npm run fuzz -- [--seed N] [--long] [--minutes N] [--group NAME [--index N] [--count N]]',
  demo: 'npm run demo -- NAME [--headed]',
  pictures: 'npm run pictures',
};

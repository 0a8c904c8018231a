/**
 * Which kernel a command line asks for: that for several harts is built only when needed. Whether
 * the number makes sense is for the program to say.
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} env
 * @returns {'kernel' | 'kernel-smp'}
 */
export function kernelFor(args, env) {
  const index = args.findLastIndex((arg) => arg === '--cpus' || arg.startsWith('--cpus='));
  const option = args[index]?.split('=')[1] ?? args[index + 1];
  const cpus = index < 0 ? env.LINUXRUN_CPUS : option;
  return Number(cpus) > 1 ? 'kernel-smp' : 'kernel';
}

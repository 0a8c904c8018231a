/**
 * Returns the kernel that a command line of the boot program needs. The kernel for several harts is built
 * only when it is needed. The program itself checks whether the number is valid.
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} env
 * @returns {'kernel' | 'kernel-smp'}
 */
export function kernelFor(args, env) {
  // Options after --exec belong to a command in the guest.
  const own = args.includes('--exec') ? args.slice(0, args.indexOf('--exec')) : args;
  const index = own.findLastIndex((arg) => arg === '--cpus' || arg.startsWith('--cpus='));
  const option = own[index]?.split('=')[1] ?? own[index + 1];
  const cpus = index < 0 ? env.LINUXRUN_CPUS : option;
  return Number(cpus) > 1 ? 'kernel-smp' : 'kernel';
}

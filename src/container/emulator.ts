/** The programs that emulate other processors in the guest: QEMU's, one for each. */
import { MachineError } from '../machine/errors.ts';
import type { Machine } from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { type Architecture, architectureOf, isEmulated } from '../options/platform.mjs';
import { loadZstd } from '../snapshot/zstd.ts';

/** The numbers of processors in the headers of ELF files (e_machine). */
export const ELF_MACHINES: Readonly<Record<Architecture, number>> = { riscv64: 243, arm64: 183, amd64: 62 };

/** @returns the ELF number of a processor that needs an emulator. @throws MachineError if there is none */
export function emulatedMachine(architecture: string): number | undefined {
  const known = architectureOf(architecture);
  if (!known) throw new MachineError(`programs for ${architecture} do not run here`);
  return isEmulated(known) ? ELF_MACHINES[known] : undefined;
}

/**
 * Loads the disk with the emulator of a processor, if it needs one.
 * @throws MachineError if it is missing
 */
export async function loadEmulatorDisk(
  platform: Platform,
  architecture: string,
): Promise<Uint8Array | undefined> {
  if (emulatedMachine(architecture) === undefined) return undefined;
  return loadPart(platform, architecture, '');
}

/** Loads a file of the emulator of a processor. @param part what its name ends with */
async function loadPart(platform: Platform, architecture: string, part: '' | '-code'): Promise<Uint8Array> {
  const [file, decompress] = await Promise.all([
    platform.loadFile(`kernel/emulator-${architectureOf(architecture)}${part}`),
    loadZstd(),
  ]);
  // The file says how large it is.
  return decompress(file, 0);
}

/** Gives the machine what the programs of a processor need, unless it has that. @throws MachineError */
export async function giveEmulator(
  machine: Machine,
  platform: Platform,
  architecture: string,
): Promise<void> {
  if (emulatedMachine(architecture) === undefined) return;
  const load = async () => {
    const disk = await loadEmulatorDisk(platform, architecture);
    void giveEmulatorCode(machine, platform, architecture);
    return disk ?? new Uint8Array();
  };
  await machine.openEmulator(architecture, load);
}

/** Gives the machine the emulator's compiled code, if it needs one. That only saves time. */
export async function giveEmulatorCode(
  machine: Machine,
  platform: Platform,
  architecture: string,
): Promise<void> {
  if (emulatedMachine(architecture) === undefined) return;
  try {
    machine.addCode(await loadPart(platform, architecture, '-code'));
  } catch {
    // The machine compiles it again.
  }
}

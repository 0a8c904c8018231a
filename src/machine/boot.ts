import { M_TOHOST, RAM_START } from '../../emulator-wasm/layout.ts';
import { machineDeviceTree } from './device-tree.ts';
import { loadElf, parseElf } from './elf.ts';
import { loadLinux } from './kernel-image.ts';
import { guestRam, markDirty } from './memory.ts';
import type { ElfGuest, HartStartingPoint, LinuxGuest, MachineStart } from './protocol.ts';

const SUPERVISOR = 1;
const MACHINE = 3;
const SEED_SIZE = 64;

/**
 * Places Linux and its device tree in RAM.
 * @param virtioSlots the slots that hold a device
 * @returns the message that resets the harts
 */
export function bootLinux(
  { memory, plan, deterministic }: MachineStart,
  { kernel, initrd, commandLine }: LinuxGuest,
  virtioSlots: readonly number[],
): HartStartingPoint {
  const rngSeed = new Uint8Array(SEED_SIZE);
  if (!deterministic) crypto.getRandomValues(rngSeed);
  const boot = loadLinux(guestRam(memory, plan), kernel, initrd, (range) =>
    machineDeviceTree({ ...plan, commandLine, initrd: range, rngSeed, virtioSlots }),
  );
  markDirty(memory, plan, boot.entry, boot.end);
  const [pc, argument] = [BigInt(boot.entry), BigInt(boot.deviceTree)];
  return { type: 'reset', pc, privilege: SUPERVISOR, argument };
}

/** Places a bare-metal program in RAM. @returns the message that resets the harts */
export function bootElf({ memory, plan }: MachineStart, { file }: ElfGuest): HartStartingPoint {
  const elf = parseElf(file);
  loadElf(elf, guestRam(memory, plan), RAM_START);
  for (const { address, size } of elf.segments)
    markDirty(memory, plan, Number(address), Number(address + size));
  new DataView(memory.buffer).setBigUint64(M_TOHOST, elf.symbol('tohost') ?? 0n, true);
  return { type: 'reset', pc: elf.entry, privilege: MACHINE, argument: 0n };
}

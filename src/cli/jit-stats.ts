import type { StartedContainer } from '../api/started-container.ts';
import { write } from './program.ts';

type MachineStats = ReturnType<StartedContainer['machineStats']>;

/** Prints on standard error what the compiler has done. */
export async function printJitStats({ instructions, jit }: MachineStats): Promise<void> {
  const total = instructions.reduce((sum, each) => sum + each, 0);
  const share = ((100 * jit.compiled) / total).toFixed(1);
  const lines = [
    `JIT: ${jit.regions} regions of ${jit.regionInstructions} instructions, ${jit.bytes} bytes, translated in ${jit.seconds.toFixed(3)} s; ${jit.storedRegions} stored regions`,
    `${share} % of ${total} instructions compiled; left ${jit.exits.notCompiled} times for what was not compiled, ` +
      `${jit.exits.interpret} for one instruction, ${jit.exits.budget} at the end of a quantum; ${jit.evictions} evictions`,
  ];
  await write(process.stderr, `${lines.join('\n')}\n`);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { startLinux } from './linux.ts';
import { benchPlatform } from './platform.ts';

const SETTLE = 2000;
const OBSERVED = 5000;
const REQUIRED_PERCENT = 3;

/** Prints how much of a processor core machines use in this process while their guests are idle. */
export async function benchIdle(wasm: string): Promise<void> {
  for (const cpus of [1, 4]) {
    const machine = await startLinux(benchPlatform(wasm), cpus);
    await machine.booted;
    await sleep(SETTLE);
    const before = process.cpuUsage();
    await sleep(OBSERVED);
    const { user, system } = process.cpuUsage(before);
    await machine.stop();
    const percent = ((user + system) / (OBSERVED * 1000)) * 100;
    console.log(
      `Idle with ${cpus} hart${cpus > 1 ? 's' : ''} in Node: ${percent.toFixed(2)} % of a core (required: under ${REQUIRED_PERCENT})`,
    );
  }
  console.log();
}

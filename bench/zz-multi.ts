import { readFileSync } from 'node:fs';
import { RAM_START, POWER_OFF, TIMEBASE } from '/work/c/ops/emulator-wasm/layout.ts';
import { loadElf, parseElf } from '/work/c/ops/src/machine/elf.ts';
import { createMemory, guestRam, planMemory } from '/work/c/ops/src/machine/memory.ts';
import { compileWorkloads } from '/work/c/ops/bench/workloads.ts';
const [list, rounds, ...names] = process.argv.slice(2) as string[];
function prepare(path: string, file: Uint8Array) {
  const module = new WebAssembly.Module(readFileSync(path));
  return () => {
    const plan = planMemory(1, 64 << 20);
    const memory = createMemory(plan, 0);
    const elf = parseElf(file); loadElf(elf, guestRam(memory, plan), RAM_START);
    const start = performance.now();
    const host = { now: () => (performance.now() - start) * (TIMEBASE / 1000), wallClock: () => 0, output: () => {}, doorbell: () => {}, hot: () => {} };
    const core = new WebAssembly.Instance(module, { env: { memory }, host }).exports as any;
    core.reset(0, elf.entry, 3, 0n);
    const c = process.cpuUsage();
    if (core.run(0, 0x7fff_ffff_ffff_ffffn) !== POWER_OFF) throw new Error('bad');
    const d = process.cpuUsage(c);
    return (d.user + d.system) / 1e6;
  };
}

for (const name of names) {
  const file = readFileSync((await compileWorkloads([name])).workloads[0]!.path);
  const paths = list!.split(',');
  const runs = paths.map((p) => prepare(p, file));
  for (const r of runs) r();
  const times: number[][] = paths.map(() => []);
  for (let n = 0; n < Number(rounds); n++) for (let k = 0; k < runs.length; k++) { const j = (k + n) % runs.length; times[j]!.push(runs[j]!()); }
  console.log(name, paths.map((p, j) => { const t = times[j]!.sort((x, y) => x - y); return `${p.split('/').at(-1)} min ${t[0]!.toFixed(3)} q1 ${t[t.length >> 2]!.toFixed(3)} median ${t[t.length >> 1]!.toFixed(3)}`; }).join(' | '));
}

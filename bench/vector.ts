/** Measures vector code: compiled, interpreted, and against the same without vector instructions. */
import { nodeRunner } from './compare.ts';
import { median, printNone, printTable } from './table.ts';
import { compileVectorWorkload, VECTOR_WORKLOADS } from './workloads.ts';

const INTERPRETED = 0;

export async function benchVector(wasm: string, repeat: number): Promise<void> {
  console.log(`Vector instructions in Node: elapsed seconds, medians of ${repeat}`);
  const compiled = await nodeRunner(wasm);
  const interpreted = await nodeRunner(wasm, INTERPRETED);
  const slower: string[] = [];
  const rows: string[][] = [];
  for (const name of VECTOR_WORKLOADS) {
    const { scalar, vector } = await compileVectorWorkload(name);
    const times: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < repeat; round++) {
      times[0].push((await compiled(scalar)).elapsed);
      times[1].push((await interpreted(vector)).elapsed);
      times[2].push((await compiled(vector)).elapsed);
    }
    const [scalarTime, interpretedTime, compiledTime] = times.map(median) as [number, number, number];
    const toScalar = scalarTime / compiledTime;
    const toInterpreted = interpretedTime / compiledTime;
    if (toScalar < 1 || toInterpreted < 1) slower.push(name);
    const seconds = [scalarTime, interpretedTime, compiledTime].map((time) => time.toFixed(3));
    rows.push([name, ...seconds, toScalar.toFixed(2), toInterpreted.toFixed(2)]);
  }
  printTable(['workload', 'scalar s', 'interpreted s', 'compiled s', '× scalar', '× interpreted'], rows);
  printNone('slower than scalar or interpreted', slower);
  console.log();
}

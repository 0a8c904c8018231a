/** Runs bare-metal programs in this thread, in which code is compiled as well. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inlineTranslation } from '../../jit/inline.ts';
import type { Limits } from '../../jit/install.ts';
import { MODE_JIT, MODE_JIT_ALL } from '../../layout.ts';
import { coreModule, MachineMemory, PRIV_M } from './core.ts';
import { readElf } from './elf.ts';
import { instantiate } from './instance.mjs';
import { compile } from './toolchain.ts';

const FOLDER = join(import.meta.dirname, '../privileged');
const RUNTIME = ['common', 'machine'].map((name) => join(FOLDER, 'runtime', name));

/** Programs in which nearly each block is compiled each time it runs repeat less. */
const MACROS = process.env.LONG_TESTS ? [] : ['FEWER=8'];

export interface InlineMachine {
  readonly machine: MachineMemory;
  /** Runs about that many instructions. Returns M_POWER. */
  run(instructions: bigint): number;
  /** Compiles what is reported. */
  translate(): void;
  output(): string;
}

interface Options {
  readonly limits?: Limits;
  /** Whether reported code is compiled only by `translate`, and not at once. */
  readonly late?: boolean;
}

/** Loads a program of the folder `privileged` into a machine of one hart that reports all code. */
export async function inlineMachine(program: string, options: Options = {}): Promise<InlineMachine> {
  const { limits, late = false } = options;
  const machine = new MachineMemory(1, 64 << 20, MODE_JIT | MODE_JIT_ALL);
  const elf = readElf(await readFile(await compile(join(FOLDER, program), RUNTIME, MACROS)));
  machine.loadElf(elf);
  let output = '';
  const print = (bytes: Uint8Array) => {
    output += Buffer.from(bytes).toString();
  };
  const start = performance.timeOrigin + performance.now();
  let translate = () => {};
  const hot = (exports: WebAssembly.Exports) => {
    translate = inlineTranslation(exports, machine.memory, 0, limits);
    return late ? () => {} : translate;
  };
  const core = instantiate(await coreModule(), machine.memory, print, start, hot);
  core.reset(0, BigInt(elf.entry), PRIV_M, 0n);
  return { machine, run: (instructions) => core.run(0, instructions), translate, output: () => output };
}

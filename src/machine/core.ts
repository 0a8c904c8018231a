import type { CompiledCode } from '../../emulator-wasm/jit/install.ts';

/** The exports of emulator.wasm that run a hart. */
export interface Core extends CompiledCode {
  reset(hart: number, pc: bigint, privilege: number, argument: bigint): void;
  resume(hart: number): void;
  run(hart: number, instructions: bigint): number;
}

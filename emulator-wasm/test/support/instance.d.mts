/** What the core exports; see the project's description of its interface in docs/architecture.md. */
export interface CoreExports {
  reset(hart: number, pc: bigint, priv: number, a1: bigint): void;
  run(hart: number, instructions: bigint): number;
}

/**
 * One hart's core on a shared memory. `output` gets the bytes the guest prints; `start` is the moment
 * the machine's clock stood at 0, in milliseconds since 1970; `hot` makes, of the exports, what is called when code was reported.
 */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  output: (bytes: Uint8Array) => void,
  start: number,
  hot?: (exports: WebAssembly.Exports) => () => void,
): CoreExports;

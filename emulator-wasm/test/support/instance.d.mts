/** The core's exports, whose interface docs/architecture.md describes. */
export interface CoreExports {
  reset(hart: number, pc: bigint, priv: number, a1: bigint): void;
  run(hart: number, instructions: bigint): number;
}

/**
 * Instantiates one hart's core on a shared memory. `output` receives the guest's output. `start` is the time
 * at which the machine's clock was 0, in milliseconds since 1970. `hot` takes the exports and returns the
 * function that is called when code is reported as hot.
 */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  output: (bytes: Uint8Array) => void,
  start: number,
  hot?: (exports: WebAssembly.Exports) => () => void,
): CoreExports;
